#include "trace/trace_check.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "trace/fields.hpp"

namespace coracle::sim {
namespace {

Status wrong(std::string_view field, std::string what) {
  return invalid_argument(fmt::format("{}: {}", field, what));
}

}  // namespace

Status TraceCheck::add(const TraceEvent& event) {
  const Duration at = at_of(event);
  if (at < Duration::zero()) return wrong("at", "is negative");
  if (at < last_) {
    return wrong("at", fmt::format("{} is before {}, the time of the event before it; events are "
                                   "in the order of time",
                                   seconds_text(at), seconds_text(last_)));
  }
  RETURN_IF_ERROR(std::visit([this](const auto& one) { return check(one); }, event));
  last_ = at;
  return {};
}

Status TraceCheck::check(const TraceNode& node) {
  if (node.name.empty()) return wrong("name", "is empty");
  if (!nodes_.emplace(node.name, NodeState{}).second) {
    return wrong("name", fmt::format("node \"{}\" is there already", node.name));
  }
  return {};
}

Status TraceCheck::check(const TraceNodeEvent& event) {
  const auto found = nodes_.find(event.node);
  if (found == nodes_.end()) {
    return wrong("node",
                 fmt::format("there is no node \"{}\" at {}", event.node, seconds_text(event.at)));
  }
  NodeState& state = found->second;
  const auto turn = [&](bool* what, bool to, const char* already) -> Status {
    if (*what == to) {
      return wrong("event", fmt::format("node \"{}\" {} already", event.node, already));
    }
    *what = to;
    return {};
  };
  switch (event.kind) {
    case TraceNodeEvent::Kind::kRemove:
      nodes_.erase(found);
      return {};
    case TraceNodeEvent::Kind::kFail:
      return turn(&state.failed, true, "has failed");
    case TraceNodeEvent::Kind::kRecover:
      return turn(&state.failed, false, "is well");
    case TraceNodeEvent::Kind::kCordon:
      return turn(&state.cordoned, true, "is cordoned");
    case TraceNodeEvent::Kind::kUncordon:
      return turn(&state.cordoned, false, "is not cordoned");
    case TraceNodeEvent::Kind::kResize:
      return event.allocatable.empty() ? wrong("allocatable", "is missing") : Status();
  }
  return {};
}

Status TraceCheck::check(const TracePod& pod) {
  if (pod.name.empty()) return wrong("name", "is empty");
  if (pod.ns.empty()) return wrong("namespace", "is empty");
  if (pod.lifetime && *pod.lifetime < Duration::zero()) return wrong("lifetime", "is negative");
  if (pod.until && *pod.until < pod.at) {
    return wrong("until", fmt::format("{} is before the pod arrives, at {}",
                                      seconds_text(*pod.until), seconds_text(pod.at)));
  }
  if (pod.placed_at && *pod.placed_at < pod.at) {
    return wrong("placedAt", fmt::format("{} is before the pod arrives, at {}",
                                         seconds_text(*pod.placed_at), seconds_text(pod.at)));
  }
  if (pod.spec.contains("containers") && !pod.requests.empty()) {
    return wrong("requests", "is for a pod whose spec has no containers");
  }
  const auto [found, fresh] = pods_.emplace(pod.key(), pod.until);
  if (fresh) return {};
  if (!found->second) {
    return wrong("name",
                 fmt::format("pod \"{}\" is there already, and has no \"until\"", pod.key()));
  }
  if (*found->second > pod.at) {
    return wrong("name", fmt::format("pod \"{}\" overlaps the one before it, which is there until "
                                     "{}",
                                     pod.key(), seconds_text(*found->second)));
  }
  found->second = pod.until;
  return {};
}

Status TraceCheck::check(const TraceUsage& usage) {
  const auto found = pods_.find(usage.pod);
  if (found == pods_.end()) {
    return wrong("pod",
                 fmt::format("there is no pod \"{}\" at {}", usage.pod, seconds_text(usage.at)));
  }
  if (found->second && *found->second < usage.at) {
    return wrong("at", fmt::format("pod \"{}\" has been gone since {}", usage.pod,
                                   seconds_text(*found->second)));
  }
  return {};
}

Status check_trace(const Trace& trace) {
  TraceCheck check;
  for (size_t i = 0; i < trace.events.size(); ++i) {
    const Status status = check.add(trace.events[i]);
    if (!status.ok()) return status.with_context(fmt::format("event {}", i + 1));
  }
  return {};
}

}  // namespace coracle::sim
