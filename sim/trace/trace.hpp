// Trace: what happened to a cluster, without saying which cluster it was: nodes, pods that arrive,
// how long they run, what they use, and what befell the nodes (docs/formats/trace.md). Pure data.
//
// Units: times are since the trace's beginning; amounts are quantities as Kubernetes writes them,
// and never negative. Invariants of a Trace that was read or checked (trace_check.hpp):
//   1. events are in the order of `at`; of equal times the order in the file counts;
//   2. a node is there once at a time, an event or a departure is of a node that is there;
//   3. a pod's name is taken from `at` until `until`, or for ever, and a Usage is of a pod that has
//      arrived and whose `until` is not past.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"

namespace coracle::sim {

inline constexpr std::string_view kTraceFormat = "coracle-trace/v1";

// A node joins.
struct TraceNode {
  Duration at{0};
  std::string name;
  json::object allocatable;  // resource -> quantity; "pods" is 110 when it is not named
  json::object labels;
  json::array taints;  // as in spec.taints
};

// What befalls a node that is there.
struct TraceNodeEvent {
  enum class Kind : std::uint8_t { kRemove, kFail, kRecover, kCordon, kUncordon, kResize };
  Duration at{0};
  std::string node;
  Kind kind = Kind::kRemove;
  json::object allocatable;  // of kResize: all of it, anew
};
std::string_view event_name(TraceNodeEvent::Kind kind);  // "remove", "fail", ..

// A pod is created.
struct TracePod {
  Duration at{0};
  std::string ns = "default", name;
  // What its only container requests; or empty, and `spec` has containers of its own.
  json::object requests;
  json::object labels, annotations;
  json::object spec;  // more of its PodSpec: nodeSelector, priority, schedulerName, ..
  std::optional<Duration> lifetime;  // how long it runs once it has started; none: for ever
  bool fails = false;                // how such a run ends: Failed, else Succeeded
  std::optional<Duration> until;     // when its owner deletes it, started or not
  json::object usage;                // from its start; a resource that is not named: as requested
  // Where and when the cluster the trace is of placed it; to compare with, never to decide by.
  std::string placed_on;
  std::optional<Duration> placed_at;

  std::string key() const { return ns + "/" + name; }
};

// From now on a pod uses this.
struct TraceUsage {
  Duration at{0};
  std::string pod;  // namespace/name
  json::object usage;
};

using TraceEvent = std::variant<TraceNode, TraceNodeEvent, TracePod, TraceUsage>;
Duration at_of(const TraceEvent& event);

struct TraceCounts {
  std::int64_t nodes = 0, node_events = 0, pods = 0, usages = 0;
  friend bool operator==(const TraceCounts&, const TraceCounts&) = default;
  void count(const TraceEvent& event);
};

struct Trace {
  std::string name;
  std::string source;             // where it is from, for people
  std::optional<WallTime> begin;  // when its time 0 was, if that is known
  std::vector<TraceEvent> events;

  TraceCounts counts() const;
};

// The Node and the Pod as they would be created; a pod has one container "main" of image "pause"
// unless its spec brings others. Times, lifetime and usage are not in them.
json::value node_object(const TraceNode& node);
json::value pod_object(const TracePod& pod);
// The containers of such a pod.
json::array main_container(const json::object& requests);

}  // namespace coracle::sim
