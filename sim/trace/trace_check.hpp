// TraceCheck: whether an event may follow those before it (the invariants of trace.hpp). Pure;
// keeps the names of the nodes that are there and of the pods that are not past. Errors:
// InvalidArgument, "field: what is wrong". O(log n) an event.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "trace/trace.hpp"

namespace coracle::sim {

class TraceCheck {
 public:
  Status add(const TraceEvent& event);

 private:
  Status check(const TraceNode& node);
  Status check(const TraceNodeEvent& event);
  Status check(const TracePod& pod);
  Status check(const TraceUsage& usage);

  struct NodeState {
    bool failed = false, cordoned = false;
  };
  Duration last_{0};
  std::map<std::string, NodeState> nodes_;
  std::map<std::string, std::optional<Duration>> pods_;  // key -> until
};

// The whole of it; the error names the event by its number, from 1.
Status check_trace(const Trace& trace);

}  // namespace coracle::sim
