#include "trace/trace_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/strings.hpp"
#include "trace/fields.hpp"

namespace coracle::sim {
namespace {

TraceEvent take_node(Fields& fields) {
  TraceNode node;
  fields.must("at", &node.at);
  fields.must("name", &node.name);
  if (!fields.take_amounts("allocatable", &node.allocatable)) fields.missing("allocatable");
  fields.take_texts("labels", &node.labels);
  fields.take("taints", &node.taints);
  return node;
}

TraceEvent take_node_event(Fields& fields) {
  TraceNodeEvent event;
  std::string name;
  fields.must("at", &event.at);
  fields.must("node", &event.node);
  fields.must("event", &name);
  fields.take_amounts("allocatable", &event.allocatable);
  std::string all;
  for (int i = 0; i <= static_cast<int>(TraceNodeEvent::Kind::kResize); ++i) {
    const auto kind = static_cast<TraceNodeEvent::Kind>(i);
    if (name == event_name(kind)) {
      event.kind = kind;
      return event;
    }
    all += (all.empty() ? "" : ", ") + std::string(event_name(kind));
  }
  fields.wrong("event", fmt::format("{} is none of {}", quoted(name), all));
  return event;
}

TraceEvent take_pod(Fields& fields) {
  TracePod pod;
  fields.must("at", &pod.at);
  fields.take("namespace", &pod.ns);
  fields.must("name", &pod.name);
  const bool requests = fields.take_amounts("requests", &pod.requests);
  fields.take_texts("labels", &pod.labels);
  fields.take_texts("annotations", &pod.annotations);
  fields.take("spec", &pod.spec);
  if (!requests && !pod.spec.contains("containers")) fields.missing("requests");
  fields.take("lifetime", &pod.lifetime);
  fields.take("fails", &pod.fails);
  fields.take("until", &pod.until);
  fields.take_amounts("usage", &pod.usage);
  fields.take("placedOn", &pod.placed_on);
  fields.take("placedAt", &pod.placed_at);
  return pod;
}

TraceEvent take_usage(Fields& fields) {
  TraceUsage usage;
  fields.must("at", &usage.at);
  fields.must("pod", &usage.pod);
  if (!fields.take_amounts("usage", &usage.usage)) fields.missing("usage");
  return usage;
}

constexpr struct {
  std::string_view kind;
  TraceEvent (*take)(Fields&);
} kKinds[] = {
    {"node", take_node}, {"nodeEvent", take_node_event}, {"pod", take_pod}, {"usage", take_usage}};

Result<TraceEvent> event_of(const json::object& object) {
  Fields fields(object);
  std::string name;
  fields.must("kind", &name);
  for (const auto& [kind, take] : kKinds) {
    if (name != kind) continue;
    TraceEvent event = take(fields);
    RETURN_IF_ERROR(fields.finish().with_context(kind));
    return event;
  }
  if (!name.empty()) {
    fields.wrong("kind", fmt::format("{} is none of node, nodeEvent, pod, usage", quoted(name)));
  }
  return fields.finish();
}

std::string counts_text(const TraceCounts& counts) {
  return fmt::format("{} nodes, {} nodeEvents, {} pods, {} usages", counts.nodes,
                     counts.node_events, counts.pods, counts.usages);
}

}  // namespace

Status TraceReader::at_line(const Status& status) const {
  return status.with_context(fmt::format("{}:{}", file_, line_));
}

Result<std::optional<json::object>> TraceReader::read_line() {
  std::string line;
  do {
    if (!std::getline(in_, line)) {
      if (in_.bad()) return unavailable(fmt::format("{}: cannot be read to its end", file_));
      return std::optional<json::object>();
    }
    ++line_;
  } while (trim(line).empty());
  std::vector<std::string> twice;
  Result<json::value> value = parse_json(line, &twice);
  if (!value.ok()) return at_line(value.status());
  if (!twice.empty()) return at_line(invalid_argument(twice.front() + ": is there twice"));
  if (!value->is_object()) return at_line(invalid_argument("want an object on each line"));
  return std::optional<json::object>(std::move(value->as_object()));
}

Result<TraceHeader> TraceReader::read_header() {
  ASSIGN_OR_RETURN(const std::optional<json::object> object, read_line());
  if (!object) {
    return invalid_argument(fmt::format("{}: is empty; the first line is the header", file_));
  }
  Fields fields(*object);
  TraceHeader header;
  std::string format, begin;
  fields.must("format", &format);
  if (!format.empty() && format != kTraceFormat) {
    fields.wrong("format", fmt::format("{}; this is a reader of {}", quoted(format), kTraceFormat));
  }
  fields.must("name", &header.name);
  fields.take("source", &header.source);
  if (fields.take("begin", &begin)) {
    const Result<WallTime> parsed = parse_time(begin);
    if (parsed.ok()) {
      header.begin = *parsed;
    } else {
      fields.wrong("begin", "want a time like 2026-11-21T06:00:00Z");
    }
  }
  json::object counts;
  const bool counted = fields.take("counts", &counts);
  RETURN_IF_ERROR(at_line(fields.finish().with_context("header")));
  if (counted) {
    Fields numbers(counts);
    header.counts.emplace();
    numbers.take("nodes", &header.counts->nodes);
    numbers.take("nodeEvents", &header.counts->node_events);
    numbers.take("pods", &header.counts->pods);
    numbers.take("usages", &header.counts->usages);
    RETURN_IF_ERROR(at_line(numbers.finish().with_context("header: counts")));
  }
  promised_ = header.counts;
  return header;
}

Result<std::optional<TraceEvent>> TraceReader::next() {
  ASSIGN_OR_RETURN(const std::optional<json::object> object, read_line());
  if (!object) {
    if (promised_ && *promised_ != seen_) {
      return invalid_argument(fmt::format("{}:1: header: counts: {}; the file has {}", file_,
                                          counts_text(*promised_), counts_text(seen_)));
    }
    return std::optional<TraceEvent>();
  }
  Result<TraceEvent> event = event_of(*object);
  if (!event.ok()) return at_line(event.status());
  const Status checked = check_.add(*event);
  if (!checked.ok()) {
    return at_line(checked.with_context(kKinds[event->index()].kind));
  }
  seen_.count(*event);
  return std::optional<TraceEvent>(std::move(*event));
}

Result<Trace> read_trace(std::istream& in, const std::string& file) {
  TraceReader reader(in, file);
  ASSIGN_OR_RETURN(TraceHeader header, reader.read_header());
  Trace trace{std::move(header.name), std::move(header.source), header.begin, {}};
  while (true) {
    ASSIGN_OR_RETURN(std::optional<TraceEvent> event, reader.next());
    if (!event) return trace;
    trace.events.push_back(std::move(*event));
  }
}

Result<Trace> read_trace_file(const std::string& path) {
  std::ifstream in(path);
  if (!in) return not_found(fmt::format("{}: {}", path, std::strerror(errno)));
  return read_trace(in, path);
}

}  // namespace coracle::sim
