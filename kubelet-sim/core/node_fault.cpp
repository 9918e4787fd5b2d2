#include "kubelet/node_fault.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.hpp"
#include "base/strings.hpp"

namespace coracle::kubelet {
namespace {

std::optional<std::string> value_of(const json::object& annotations, const char* key) {
  const json::value* found = annotations.if_contains(key);
  if (found == nullptr || !found->is_string()) return std::nullopt;
  return std::string(found->get_string());
}

std::string problem(const char* key, const std::string& value, const char* wanted) {
  return fmt::format("Annotation {}: \"{}\" is not {}", key, value, wanted);
}

void ask_cut_off(const std::string& value, NodeFaults* out) {
  out->cut_off = value == "now";
  if (out->cut_off) return;
  const auto end = parse_time(value);
  if (!end.ok()) {
    return out->problems.push_back(
        problem(kCutOffFault, value, "\"now\" or a time like 2030-01-02T15:04:05Z"));
  }
  out->cut_off = true;
  out->cut_off_ends = *end;
}

void ask_slow(const std::string& value, NodeFaults* out) {
  constexpr std::string_view kUntil = " until ";
  const size_t cut = value.find(kUntil);
  const auto delay = parse_duration(value.substr(0, cut));
  const auto end = cut == value.npos ? Result<WallTime>(WallTime())
                                     : parse_time(value.substr(cut + kUntil.size()));
  if (!delay.ok() || !end.ok() || *delay <= Duration(0) || *delay > kSlowMax) {
    return out->problems.push_back(problem(
        kSlowFault, value,
        "a duration of at most 10m like \"2s\", or one \"until\" a time (2030-01-02T15:04:05Z)"));
  }
  out->delay = *delay;
  if (cut != value.npos) out->slow_ends = *end;
}

}  // namespace

std::optional<WallTime> NodeFaults::next_end() const {
  if (!cut_off_ends || !slow_ends) return cut_off_ends ? cut_off_ends : slow_ends;
  return std::min(*cut_off_ends, *slow_ends);
}

NodeFaults faults_asked(const json::object& annotations, WallTime now) {
  NodeFaults out;
  if (const auto value = value_of(annotations, kCutOffFault)) ask_cut_off(*value, &out);
  if (const auto value = value_of(annotations, kSlowFault)) ask_slow(*value, &out);
  if (const auto value = value_of(annotations, kRebootFault)) {
    out.reboot = *value == "now";
    if (!out.reboot) out.problems.push_back(problem(kRebootFault, *value, "\"now\""));
  }
  if (out.cut_off_ends && *out.cut_off_ends <= now) {
    out.over.push_back(kCutOffFault);
    out.cut_off = false;
    out.cut_off_ends.reset();
  }
  if (out.slow_ends && *out.slow_ends <= now) {
    out.over.push_back(kSlowFault);
    out.delay = Duration(0);
    out.slow_ends.reset();
  }
  return out;
}

}  // namespace coracle::kubelet
