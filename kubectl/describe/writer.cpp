#include "describe/writer.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <vector>

#include "api/jsonpath.hpp"
#include "api/object.hpp"
#include "base/clock.hpp"
#include "base/strings.hpp"
#include "text/tabwriter.hpp"

namespace coracle::kubectl {
namespace {

constexpr size_t kAnnotationMax = 140;
constexpr const char* kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

std::vector<std::string> sorted_names(const json::object& object) {
  std::vector<std::string> out;
  for (const auto& [key, value] : object) out.emplace_back(key);
  std::sort(out.begin(), out.end());
  return out;
}

std::string value_of(const json::object& object, const std::string& key) {
  const json::value& value = object.at(key);
  return value.is_string() ? std::string(value.as_string()) : to_json(value);
}

std::string shorten(const std::string& text, size_t max) {
  return text.size() > max ? text.substr(0, max) + "..." : text;
}

}  // namespace

void DescribeWriter::flush() {
  done_ += text::align_tabs(pending_);
  pending_.clear();
}

std::string DescribeWriter::text() {
  flush();
  return done_;
}

std::string or_none(std::string_view text) { return text.empty() ? "<none>" : std::string(text); }

void write_labels(DescribeWriter& out, std::string_view title, const json::object& labels) {
  out.raw(std::string(title) + ":\t");
  if (labels.empty()) return out.raw("<none>\n");
  bool first = true;
  for (const std::string& key : sorted_names(labels)) {
    out.raw((std::exchange(first, false) ? "" : "\t") + key + "=" + value_of(labels, key) + "\n");
  }
}

void write_annotations(DescribeWriter& out, std::string_view title,
                       const json::object& annotations) {
  out.raw(std::string(title) + ":\t");
  bool first = true;
  for (const std::string& key : sorted_names(annotations)) {
    if (key == kLastApplied) continue;
    if (!std::exchange(first, false)) out.raw("\t");
    std::string value = value_of(annotations, key);
    if (!value.empty() && value.back() == '\n') value.pop_back();
    if (value.size() + key.size() + 2 > kAnnotationMax || value.find('\n') != value.npos) {
      out.raw(key + ":\n");
      for (const std::string& line : split(value, '\n')) {
        out.raw("\t  " + shorten(line, kAnnotationMax - 2) + "\n");
      }
    } else {
      out.raw(key + ": " + value + "\n");
    }
  }
  if (first) out.raw("<none>\n");
}

std::string labels_line(const json::object& labels) {
  std::vector<std::string> parts;
  for (const std::string& key : sorted_names(labels))
    parts.push_back(key + "=" + value_of(labels, key));
  return parts.empty() ? "<none>" : join(parts, ",");
}

std::string long_time(std::string_view rfc3339) {
  const auto time = parse_time(rfc3339);
  if (!time.ok()) return std::string(rfc3339);
  const std::time_t seconds =
      std::chrono::duration_cast<std::chrono::seconds>(time->time_since_epoch()).count();
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char buffer[64];
  std::strftime(buffer, sizeof buffer, "%a, %d %b %Y %H:%M:%S +0000", &parts);
  return buffer;
}

void write_head(DescribeWriter& out, const json::value& object) {
  out.field(0, "Name", api::name_of(object));
  if (!api::namespace_of(object).empty()) out.field(0, "Namespace", api::namespace_of(object));
  write_labels(out, "Labels", api::labels_of(object));
  write_annotations(out, "Annotations", api::annotations_of(object));
}

std::string controller_text(const json::value& object) {
  const json::value* owner = api::controller_of(object);
  if (!owner) return {};
  return std::string(get_string(*owner, "kind")) + "/" + std::string(get_string(*owner, "name"));
}

std::string text_at(const json::value& root, std::string_view path) {
  const json::value* found = find(root, path);
  return found && !found->is_null() ? api::jsonpath_text(*found) : std::string();
}

std::string bool_text(bool value) { return value ? "True" : "False"; }

}  // namespace coracle::kubectl
