// schedload: how many pods a second the scheduler's core places, by workload.
#include <fmt/format.h>

#include <iostream>

#include "base/clock.hpp"
#include "base/flags.hpp"
#include "works.hpp"

using namespace coracle;

int main(int argc, char** argv) {
  std::string only;
  int nodes = 0;
  Flags flags("schedload",
              "Measures the scheduler's core by workloads of upstream's scheduler_perf.",
              "schedload --workload SchedulingBasic --nodes 5000");
  flags.add("--workload", &only, "only this one");
  flags.add("--nodes", &nodes, "only with so many nodes");
  flags.parse(argc, argv);
  std::cout << fmt::format("{:<24}{:>8}{:>8}{:>10}{:>10}{:>10}\n", "WORKLOAD", "NODES", "PODS",
                           "PODS/S", "P50 US", "P99 US");
  bool any = false;
  for (const bench::Workload& workload : bench::workloads()) {
    if ((!only.empty() && workload.name != only) || (nodes != 0 && workload.nodes != nodes))
      continue;
    any = true;
    const bench::Measured m = bench::run(workload, real_clock());
    std::cout << fmt::format("{:<24}{:>8}{:>8}{:>10.0f}{:>10.0f}{:>10.0f}\n", workload.name,
                             workload.nodes, m.placed, m.placed / m.seconds, m.percentile(0.5),
                             m.percentile(0.99));
  }
  if (!any) fail_startup("--workload: there is no such workload");
  return 0;
}
