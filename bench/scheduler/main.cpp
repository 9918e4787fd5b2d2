// schedload: how many pods a second the scheduler's core places, by workload.
#include <fmt/format.h>

#include <iostream>

#include "base/clock.hpp"
#include "base/flags.hpp"
#include "base/metrics.hpp"
#include "works.hpp"

using namespace coracle;

int main(int argc, char** argv) {
  std::string only;
  int nodes = 0;
  Flags flags("schedload",
              "Measures the scheduler's core by workloads of upstream's scheduler_perf.",
              "schedload --workload SchedulingBasic --nodes 5000");
  flags.add("--workload", &only, "only this one");
  flags.add("--nodes", &nodes, "only with so many nodes (100000: what is too large by default)");
  flags.parse(argc, argv);
  std::cout << fmt::format("{:<26}{:>8}{:>8}{:>10}{:>10}{:>10}{:>8}{:>8}\n", "WORKLOAD", "NODES",
                           "PODS", "PODS/S", "P50 US", "P99 US", "CPU S", "MB");
  bool any = false;
  for (const bench::Workload& workload : bench::workloads()) {
    if (!only.empty() && workload.name != only) continue;
    if (nodes != 0 ? workload.nodes != nodes : !workload.by_default) continue;
    any = true;
    double cpu = 0;
    const bench::Measured m = bench::run(workload, real_clock(), [&] { cpu = cpu_seconds(); });
    cpu = cpu_seconds() - cpu;
    std::cout << fmt::format("{:<26}{:>8}{:>8}{:>10.0f}{:>10.1f}{:>10.1f}{:>8.2f}{:>8.0f}",
                             workload.name, workload.nodes, m.placed, m.placed / m.seconds,
                             m.percentile(0.5), m.percentile(0.99), cpu, resident_bytes() / 1e6)
              << std::endl;
  }
  if (!any) fail_startup("--workload, --nodes: there is no such workload");
  return 0;
}
