// Workloads of the scheduler's core, named as upstream's scheduler_perf names them: nodes, pods
// that are there, pods that are measured.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "framework/pod_info.hpp"

namespace coracle::bench {

struct Workload {
  std::string name;  // "SchedulingBasic"
  int nodes = 0, initial = 0, measured = 0;
  bool by_default = true;
};
// Those that are known, at 500 and 5,000 nodes, and SchedulingBasic at 100,000.
std::vector<Workload> workloads();

struct Measured {
  int placed = 0, preempted = 0, waiting = 0;
  double seconds = 0;
  std::vector<double> micros;  // of each decision, ascending
  double percentile(double share) const;
};
// Decides and assumes every pod, as the scheduler does, and shows it placed; victims leave at once.
// Unknown names are a CHECK.
Measured run(
    const Workload& workload, const Clock& clock,
    const std::function<void()>& before_measuring = [] {});

}  // namespace coracle::bench
