#include "report/compare.hpp"

#include <fmt/format.h>

#include <cmath>

#include "base/strings.hpp"
#include "experiment/brief.hpp"
#include "report/svg.hpp"

namespace coracle::sim {
namespace {

// What a decision came to: where, or that it found none.
std::pair<std::string, std::string> outcome(const std::string& line) {
  const auto row = parse_json(line);
  if (!row.ok()) return {};
  return {std::string(get_string(*row, "result")), std::string(get_string(*row, "node"))};
}

std::string pod_of(const std::string& key) { return key.substr(0, key.rfind('#')); }
int attempt_of(const std::string& key) {
  long long attempt = 0;
  parse_int(key.substr(key.rfind('#') + 1), &attempt);
  return static_cast<int>(attempt);
}

std::string indented(const std::string& text) {
  std::string out;
  for (const std::string& line : split(text, '\n')) {
    if (!line.empty()) out += "      " + line + "\n";
  }
  return out;
}

std::string told(const char* who, const std::string* line) {
  if (line == nullptr) return fmt::format("  {} does not decide about it\n", who);
  const auto row = parse_json(*line);
  if (!row.ok()) return {};
  const json::value* at = find(*row, "at");
  std::string text = fmt::format(
      "  {} at {}: ", who, axis_text(Axis::kSeconds, at == nullptr ? 0 : at->to_number<double>()));
  if (get_string(*row, "result") == "placed") {
    text += fmt::format("placed on {}\n", get_string(*row, "node"));
  } else {
    text += fmt::format("{}\n", get_string(*row, "message"));
    if (const auto nominated = get_string(*row, "nominated"); !nominated.empty()) {
      text +=
          fmt::format("      makes room on {}: {} leave\n", nominated, get_string(*row, "victims"));
    }
  }
  return text + indented(brief_text(get_object(*row, "why")));
}

std::string value_text(const std::string& name, double value) {
  if (std::isnan(value)) return "-";
  switch (axis_of(name)) {
    case Axis::kSeconds:
      return axis_text(Axis::kSeconds, value);
    case Axis::kShare:
      return fmt::format("{:.2f} %", value * 100);
    default:
      return fmt::format("{:.6g}", value);
  }
}

std::string verdict(const Comparison& comparison) {
  std::vector<std::string> better, worse;
  for (const auto& metric : comparison.metrics) {
    if (metric.better == 0 || std::isnan(metric.a) || std::isnan(metric.b)) continue;
    constexpr double kSlack = 1e-9;
    const double gain = (metric.b - metric.a) * metric.better;
    const std::string text =
        fmt::format("{} ({} -> {})", metric.name, value_text(metric.name, metric.a),
                    value_text(metric.name, metric.b));
    if (gain > kSlack) better.push_back(text);
    if (gain < -kSlack) worse.push_back(text);
  }
  if (comparison.same()) return "Verdict: every decision is the same.\n";
  std::string text = "Verdict: ";
  text += better.empty() ? "B is better in nothing" : "B is better in " + join(better, ", ");
  text += worse.empty() ? "; worse in nothing.\n" : "; worse in " + join(worse, ", ") + ".\n";
  return text;
}

void add_metrics(const RunRecord& a, const RunRecord& b, Comparison* out) {
  const auto add = [&](const char* section, const std::string& name, const char* part, int better) {
    Comparison::Metric metric;
    metric.name = *part == '\0' ? name : fmt::format("{} {}", name, part);
    metric.a = run_number(a.run, section, name, part);
    metric.b = run_number(b.run, section, name, part);
    metric.better = better;
    if (!std::isnan(metric.a) || !std::isnan(metric.b)) out->metrics.push_back(metric);
  };
  for (const auto& [name, better] : {std::pair("pods.created", 0),
                                     {"pods.scheduled", 1},
                                     {"unscheduled", -1},
                                     {"pods.finished", 1},
                                     {"pods.evicted", -1},
                                     {"pods.preempted", -1},
                                     {"decisions", 0},
                                     {"decisions.failed", -1}}) {
    add("numbers", name, "", better);
  }
  for (const char* part : {"mean", "p50", "p99", "max"}) {
    add("distributions", "pod.wait", part, -1);
  }
  for (const auto& series : get_object(a.run, "series")) {
    const std::string name(series.key());
    if (name.starts_with("utilisation.")) add("series", name, "mean", 1);
    if (name.starts_with("imbalance.")) add("series", name, "mean", 0);
    if (name == "queue.pending") add("series", name, "mean", -1);
    if (name == "nodes.empty") add("series", name, "mean", 0);
  }
}

}  // namespace

Comparison compare(const RunRecord& a, const RunRecord& b) {
  Comparison out;
  std::vector<std::string> keys(a.decisions.size());
  for (const auto& [key, index] : a.by_attempt) keys[index] = key;
  for (size_t i = 0; i < keys.size(); ++i) {
    const auto other = b.by_attempt.find(keys[i]);
    const std::string* there = other == b.by_attempt.end() ? nullptr : &b.decisions[other->second];
    if (there != nullptr && outcome(a.decisions[i]) == outcome(*there)) {
      ++out.equal;
      continue;
    }
    ++(there == nullptr ? out.only_a : out.differ);
    out.differences.push_back({pod_of(keys[i]), attempt_of(keys[i]), &a.decisions[i], there});
  }
  keys.assign(b.decisions.size(), "");
  for (const auto& [key, index] : b.by_attempt) keys[index] = key;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (a.by_attempt.contains(keys[i])) continue;
    ++out.only_b;
    out.differences.push_back({pod_of(keys[i]), attempt_of(keys[i]), nullptr, &b.decisions[i]});
  }
  add_metrics(a, b, &out);
  return out;
}

std::string comparison_text(const RunRecord& a, const RunRecord& b, const Comparison& comparison,
                            size_t shown) {
  std::string text =
      fmt::format("A: {}\nB: {}\n\n{:<28}{:>14}{:>14}\n", a.title(), b.title(), "METRIC", "A", "B");
  for (const auto& metric : comparison.metrics) {
    text += fmt::format("{:<28}{:>14}{:>14}\n", metric.name, value_text(metric.name, metric.a),
                        value_text(metric.name, metric.b));
  }
  for (const RunRecord* record : {&a, &b}) {
    size_t held = 0, all = 0;
    for (const json::value& one : get_array(record->run, "assertions")) {
      held += get_bool(one, "held") ? 1 : 0;
      ++all;
    }
    if (all > 0) {
      text +=
          fmt::format("{:<28}{:>14}\n", fmt::format("assertions of {}", record == &a ? "A" : "B"),
                      fmt::format("{} of {} held", held, all));
    }
  }
  text += fmt::format("\nDecisions: {} are equal, {} differ, {} only in A, {} only in B\n",
                      comparison.equal, comparison.differ, comparison.only_a, comparison.only_b);
  for (size_t i = 0; i < std::min(shown, comparison.differences.size()); ++i) {
    const Difference& one = comparison.differences[i];
    text += fmt::format("\n{}, decision {}\n", one.pod, one.attempt);
    text += told("A", one.a) + told("B", one.b);
  }
  if (comparison.differences.size() > shown) {
    text +=
        fmt::format("\n... and {} more (--max N shows N)\n", comparison.differences.size() - shown);
  }
  return text + "\n" + verdict(comparison);
}

}  // namespace coracle::sim
