#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "trace/fields.hpp"
#include "trace/trace_file.hpp"

namespace coracle::sim {
namespace {

// One line of JSON, member by member: times are written as decimals, which a tree of doubles would
// not keep.
class Line {
 public:
  void text(std::string_view name, std::string_view value) {
    member(name) += to_json(json::value(json::string(value)));
  }
  void number(std::string_view name, std::int64_t value) { member(name) += std::to_string(value); }
  void seconds(std::string_view name, Duration value) { member(name) += seconds_text(value); }
  void seconds(std::string_view name, const std::optional<Duration>& value) {
    if (value) seconds(name, *value);
  }
  void tree(std::string_view name, const json::value& value) { member(name) += to_json(value); }
  void object(std::string_view name, const json::object& value) {
    if (!value.empty()) tree(name, value);
  }
  std::string take() { return std::move(out_) + "}"; }

 private:
  std::string& member(std::string_view name) {
    out_ += fmt::format("{}\"{}\":", out_.empty() ? "{" : ",", name);
    return out_;
  }
  std::string out_;
};

Line begin(std::string_view kind, Duration at) {
  Line line;
  line.text("kind", kind);
  line.seconds("at", at);
  return line;
}

std::string line_of(const TraceNode& node) {
  Line line = begin("node", node.at);
  line.text("name", node.name);
  line.tree("allocatable", node.allocatable);
  line.object("labels", node.labels);
  if (!node.taints.empty()) line.tree("taints", node.taints);
  return line.take();
}

std::string line_of(const TraceNodeEvent& event) {
  Line line = begin("nodeEvent", event.at);
  line.text("node", event.node);
  line.text("event", event_name(event.kind));
  line.object("allocatable", event.allocatable);
  return line.take();
}

std::string line_of(const TracePod& pod) {
  Line line = begin("pod", pod.at);
  if (pod.ns != "default") line.text("namespace", pod.ns);
  line.text("name", pod.name);
  if (!pod.spec.contains("containers")) line.tree("requests", pod.requests);
  line.object("labels", pod.labels);
  line.object("annotations", pod.annotations);
  line.object("spec", pod.spec);
  line.seconds("lifetime", pod.lifetime);
  if (pod.fails) line.tree("fails", true);
  line.seconds("until", pod.until);
  line.object("usage", pod.usage);
  if (!pod.placed_on.empty()) line.text("placedOn", pod.placed_on);
  line.seconds("placedAt", pod.placed_at);
  return line.take();
}

std::string line_of(const TraceUsage& usage) {
  Line line = begin("usage", usage.at);
  line.text("pod", usage.pod);
  line.tree("usage", usage.usage);
  return line.take();
}

}  // namespace

std::string header_line(const TraceHeader& header) {
  Line line;
  line.text("format", kTraceFormat);
  line.text("name", header.name);
  if (!header.source.empty()) line.text("source", header.source);
  if (header.begin) line.text("begin", format_micro_time(*header.begin));
  if (header.counts) {
    Line counts;
    counts.number("nodes", header.counts->nodes);
    counts.number("nodeEvents", header.counts->node_events);
    counts.number("pods", header.counts->pods);
    counts.number("usages", header.counts->usages);
    std::string text = line.take();
    text.pop_back();
    return text + ",\"counts\":" + counts.take() + "}";
  }
  return line.take();
}

std::string event_line(const TraceEvent& event) {
  return std::visit([](const auto& one) { return line_of(one); }, event);
}

void write_trace(const Trace& trace, std::ostream& out) {
  out << header_line({trace.name, trace.source, trace.begin, trace.counts()}) << '\n';
  for (const TraceEvent& event : trace.events) out << event_line(event) << '\n';
}

Status write_trace_file(const Trace& trace, const std::string& path) {
  std::ofstream out(path);
  if (!out) return unavailable(fmt::format("{}: {}", path, std::strerror(errno)));
  write_trace(trace, out);
  out.close();
  if (!out) return unavailable(fmt::format("{}: cannot be written whole", path));
  return {};
}

}  // namespace coracle::sim
