// Recorder: makes a trace of what a cluster's pods and nodes do, told by their watches. Pure: what
// was seen and when in, a Trace out (finish). Times are since the recording's beginning.
//
// Kept of a pod: labels, our annotations, what its containers request, and of its spec what a
// scheduler reads, but for volumes. A pod that is evicted or preempted leaves at that time, as if
// its owner had deleted it: a replay shows the same load, not what the cluster did about a fault.
// What runs at the beginning arrives at 0; what was over by then is not in it.
// Bound: kRecordedMax lines; over it nothing more is taken, and full() says so.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "trace/trace.hpp"

namespace coracle::sim {

inline constexpr size_t kRecordedMax = 5'000'000;

class Recorder {
 public:
  // `before` null: it is new; `after` null: it is gone.
  void pod(Duration at, const json::value* before, const json::value* after);
  void node(Duration at, const json::value* before, const json::value* after);

  size_t pods() const { return pods_.size(); }
  bool full() const { return pods_.size() + events_.size() >= kRecordedMax; }
  // Pods that still run have neither lifetime nor `until`.
  Trace finish(std::string name, std::string source, WallTime begin) const;

 private:
  struct Run {
    TracePod pod;
    std::string uid;
    std::optional<Duration> started;
    bool over = false;
  };
  Run* find(const json::value& pod);
  static void leaves(Duration at, Run& run);

  std::vector<Run> pods_;
  std::map<std::string, size_t> newest_;  // by key
  std::vector<TraceEvent> events_;        // of nodes
  struct Node {
    bool ready = true, cordoned = false;
    json::object allocatable;
  };
  std::map<std::string, Node> nodes_;
};

}  // namespace coracle::sim
