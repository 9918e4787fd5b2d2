// GPU demand: the experiment of "Beware of Fragmentation: Scheduling GPU-Sharing Workloads with
// Fragmentation Gradient Descent" (Weng et al., USENIX ATC'23, section 6): a trace's pods arrive in
// an order drawn from a seed, topped up to a demand by drawing pods again, and stay; those that fit
// nowhere leave. How much of the cluster's GPU is allocated, as the demand grows. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "framework/snapshot.hpp"
#include "plugins/plugin_args.hpp"
#include "trace/trace.hpp"

namespace coracle::sim {

struct GpuPolicy {
  std::string_view name;    // as the paper calls it
  std::string_view plugin;  // the only one that scores
  scheduler::GpuArgs::Choice choice;
};
// In the paper's order, from the baseline on.
std::span<const GpuPolicy> gpu_policies();

// The cluster, its pods and what is typical of them; shared by all runs.
struct GpuDemandTrace {
  std::vector<std::shared_ptr<const scheduler::NodeFacts>> nodes;
  std::vector<scheduler::PodPtr> pods;  // by name
  std::vector<scheduler::TypicalPod> typical;
  std::int64_t capacity_milli = 0, asked_milli = 0;
};
// How many of the pods the typical ones make up.
inline constexpr double kPopularity = 0.95;
// Times count for nothing. InvalidArgument: no GPUs, or nobody asks for them, or nodes that change.
Result<GpuDemandTrace> gpu_demand_trace(const Trace& trace);

// The pods of one seed, in the order in which they arrive, until they ask for `demand` times the
// capacity: shuffled, then drawn with replacement; or with some drawn out, if they ask for more.
std::vector<scheduler::PodPtr> gpu_demand_pods(const GpuDemandTrace& trace, double demand,
                                               std::uint64_t seed);

// When so many percent of the capacity had been asked for, how many were allocated (the mean over
// the pods that arrived then), and how many were free and of no use to the typical pod (as they
// began).
struct DemandPoint {
  int arrived_percent = 0;
  double allocated_percent = 0, fragmented_percent = 0;
};
struct DemandRun {
  std::string policy;
  std::uint64_t seed = 0;
  std::vector<DemandPoint> points;  // each percent of demand, ascending
  std::int64_t placed = 0, unfit = 0;

  double allocated_at(int arrived_percent) const;  // of the last point up to there
};

// Which of the best nodes a pod gets. The paper's simulator takes the first in an order that is
// drawn once a seed; a live scheduler goes round. It matters: scores are whole numbers, and many
// are equal.
enum class Ties : std::uint8_t { kFirst, kRoundRobin };

struct DemandOptions {
  double demand = 1.3;  // in parts of the capacity
  std::uint64_t seed = 42;
  Ties ties = Ties::kFirst;
};
DemandRun run_gpu_demand(const GpuDemandTrace& trace, const GpuPolicy& policy,
                         const DemandOptions& options);

// What the paper's authors published of their own simulator, mean of 10 seeds, for a variant of the
// trace ("default", "gpuspec33"), in percent.
struct PublishedAllocation {
  std::string_view variant, policy;
  double at_100, at_130;
};
std::span<const PublishedAllocation> published_allocations();

}  // namespace coracle::sim
