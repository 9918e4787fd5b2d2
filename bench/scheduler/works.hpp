// Workloads of the scheduler's core, named as upstream's scheduler_perf names them: nodes, pods
// that are there, pods that are measured.
#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "framework/pod_info.hpp"

namespace coracle::bench {

struct Workload {
  std::string name;  // "SchedulingBasic"
  int nodes = 0, initial = 0, measured = 0;
};
// Those that are known, at 500 and 5,000 nodes.
std::vector<Workload> workloads();

struct Measured {
  int placed = 0, preempted = 0;
  double seconds = 0;
  std::vector<double> micros;  // of each decision, ascending
  double percentile(double share) const;
};
// Decides and assumes every pod, as the scheduler does; victims leave at once.
Measured run(const Workload& workload, const Clock& clock);

}  // namespace coracle::bench
