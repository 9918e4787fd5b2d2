#include "gpu_demand/gpu_demand.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/check.hpp"
#include "base/rng.hpp"
#include "cache/cache.hpp"
#include "cycle/cycle.hpp"
#include "cycle/reserve.hpp"
#include "plugins/gpu_fragmentation.hpp"
#include "plugins/registry.hpp"

namespace coracle::sim {
namespace {

using scheduler::GpuArgs;
using scheduler::PodInfo;
using scheduler::PodPtr;
using scheduler::Point;

constexpr GpuPolicy kPolicies[] = {
    {"Random", "GpuRandom", GpuArgs::Choice::kRandom},
    {"DotProd", "GpuDotProduct", GpuArgs::Choice::kBestFit},
    {"GpuClustering", "GpuClustering", GpuArgs::Choice::kBestFit},
    {"GpuPacking", "GpuPacking", GpuArgs::Choice::kBestFit},
    {"BestFit", "GpuBestFit", GpuArgs::Choice::kBestFit},
    {"FGD", "GpuFragmentation", GpuArgs::Choice::kFragmentation},
};

// From the paper (default, as the project's plan states them) and, for gpuspec33, from the results
// that its simulator's repository brings.
constexpr PublishedAllocation kPublished[] = {
    {"default", "Random", 86.30, 87.47},          {"default", "DotProd", 90.62, 90.85},
    {"default", "GpuClustering", 91.65, 91.88},   {"default", "GpuPacking", 91.78, 92.00},
    {"default", "BestFit", 92.86, 93.08},         {"default", "FGD", 95.23, 95.39},
    {"gpuspec33", "Random", 83.87, 86.46},        {"gpuspec33", "DotProd", 79.82, 89.14},
    {"gpuspec33", "GpuClustering", 81.09, 92.12}, {"gpuspec33", "GpuPacking", 82.22, 93.22},
    {"gpuspec33", "BestFit", 80.40, 93.09},       {"gpuspec33", "FGD", 87.84, 94.55},
};

constexpr std::uint64_t kNodeOrder = 0x6e6f646573;  // another stream than that of the pods

std::int64_t asked(const PodInfo& pod) { return pod.gpu == nullptr ? 0 : pod.gpu->total(); }

template <class T>
void shuffle(std::vector<T>& items, Rng& rng) {
  for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[rng.below(i)]);
}

PodPtr copy_of(const PodInfo& pod, size_t number) {
  auto copy = std::make_shared<PodInfo>(pod);
  copy->name += fmt::format("-again-{}", number);
  copy->key = copy->ns + "/" + copy->name;
  copy->uid = copy->key;
  return copy;
}

scheduler::Profile profile_of(const GpuPolicy& policy, const GpuDemandTrace& trace,
                              std::uint64_t seed) {
  scheduler::PluginChoice choice = scheduler::default_choice();
  const auto at = [&choice](Point point) -> auto& { return choice.at[static_cast<size_t>(point)]; };
  at(Point::kPreScore).clear();
  at(Point::kScore).clear();
  at(Point::kPostFilter).clear();
  choice.weights.clear();
  for (const Point point : {Point::kPreFilter, Point::kFilter, Point::kReserve}) {
    at(point).emplace_back("GpuShare");
  }
  const std::string plugin(policy.plugin);
  if (scheduler::find_plugin(scheduler::plugin_table(), plugin)->extends(Point::kPreScore)) {
    at(Point::kPreScore).push_back(plugin);
  }
  at(Point::kScore).push_back(plugin);
  scheduler::PluginArgs args;
  args.gpu.choice = policy.choice;
  args.gpu.seed = seed;
  args.gpu.typical = trace.typical;
  scheduler::Profile profile = scheduler::make_profile(choice, args);
  profile.percentage_of_nodes = 100;
  return profile;
}

double fragmented_percent(const scheduler::Cache& cache, const GpuDemandTrace& trace) {
  double sum = 0;
  for (const scheduler::NodeInfo& node : cache.snapshot().nodes) {
    sum += scheduler::fragmentation(node, trace.typical);
  }
  return 100 * sum / static_cast<double>(trace.capacity_milli);
}

// As the live scheduler does it, but that who fits nowhere does not wait.
bool place(const scheduler::Profile& profile, const PodPtr& pod, scheduler::Cache& cache,
           scheduler::Rotation& rotation) {
  const scheduler::Decision decision = scheduler::decide(profile, pod, cache.snapshot(), rotation);
  if (decision.kind != scheduler::Decision::Kind::kPlaced) {
    CHECK_MSG(decision.kind == scheduler::Decision::Kind::kFitsNowhere, decision.message);
    return false;
  }
  auto& reservations = cache.surroundings().reservations;
  const auto [verdict, by] =
      scheduler::reserve_all(profile, *pod, decision.node, cache.snapshot(), reservations);
  CHECK_MSG(verdict.is_yes(), pod->key << " fits on " << decision.node << ", says the filter");
  cache.assume(*pod, decision.node);
  reservations.give_back_all(pod->uid);
  return true;
}

// The running mean of the pods of one percent of demand.
class Curve {
 public:
  void add(int percent, double allocated, const std::function<double()>& fragmented) {
    if (points_.empty() || points_.back().arrived_percent != percent) {
      points_.push_back({percent, 0, fragmented()});
      count_ = 0;
    }
    double& mean = points_.back().allocated_percent;
    mean += (allocated - mean) / static_cast<double>(++count_);
  }
  std::vector<DemandPoint> take() { return std::move(points_); }

 private:
  std::vector<DemandPoint> points_;
  std::int64_t count_ = 0;
};

}  // namespace

std::span<const GpuPolicy> gpu_policies() { return kPolicies; }
std::span<const PublishedAllocation> published_allocations() { return kPublished; }

Result<GpuDemandTrace> gpu_demand_trace(const Trace& trace) {
  GpuDemandTrace made;
  std::vector<scheduler::TypicalPod> kinds;
  for (const TraceEvent& event : trace.events) {
    if (const auto* node = std::get_if<TraceNode>(&event)) {
      made.nodes.push_back(scheduler::parse_node(node_object(*node)));
      made.capacity_milli += made.nodes.back()->gpus * scheduler::kDeviceMilli;
    } else if (const auto* change = std::get_if<TraceNodeEvent>(&event)) {
      return invalid_argument(
          fmt::format("node {}: {}: the nodes of this experiment stay as they are", change->node,
                      event_name(change->kind)));
    } else if (const auto* pod = std::get_if<TracePod>(&event)) {
      json::value object = pod_object(*pod);
      set_path(object, "metadata.uid", json::value(pod->key()));
      made.pods.push_back(scheduler::parse_pod(object));
    }
  }
  std::stable_sort(made.pods.begin(), made.pods.end(),
                   [](const PodPtr& a, const PodPtr& b) { return a->key < b->key; });
  for (const PodPtr& pod : made.pods) {
    if (pod->gpu != nullptr && !pod->gpu->wrong.empty()) {
      return invalid_argument(fmt::format("pod {}: {}", pod->key, pod->gpu->wrong));
    }
    made.asked_milli += asked(*pod);
    kinds.push_back(scheduler::kind_of_pod(*pod));
  }
  if (made.capacity_milli == 0) return invalid_argument("no node has GPUs");
  if (made.asked_milli == 0) return invalid_argument("no pod asks for GPUs");
  made.typical = scheduler::typical_of(kinds, kPopularity);
  return made;
}

std::vector<PodPtr> gpu_demand_pods(const GpuDemandTrace& trace, double demand,
                                    std::uint64_t seed) {
  Rng rng(seed);
  std::vector<PodPtr> pods = trace.pods;
  shuffle(pods, rng);
  const double target = demand * static_cast<double>(trace.capacity_milli);
  std::int64_t total = trace.asked_milli;
  while (static_cast<double>(total) > target) {
    const auto out = pods.begin() + static_cast<std::ptrdiff_t>(rng.below(pods.size()));
    total -= asked(**out);
    pods.erase(out);
  }
  if (pods.size() < trace.pods.size()) return pods;
  for (size_t number = 0;; ++number) {
    const PodInfo& drawn = *trace.pods[rng.below(trace.pods.size())];
    // As the paper's simulator: one device of the pod decides whether it still belongs.
    const int one = drawn.gpu == nullptr ? 0 : drawn.gpu->milli;
    if (static_cast<double>(total + one) > target) return pods;
    total += asked(drawn);
    pods.push_back(copy_of(drawn, number));
  }
}

DemandRun run_gpu_demand(const GpuDemandTrace& trace, const GpuPolicy& policy,
                         const DemandOptions& options) {
  const std::uint64_t seed = options.seed;
  const scheduler::Profile profile = profile_of(policy, trace, seed);
  scheduler::Cache cache;
  scheduler::Rotation rotation;
  Rng order(seed ^ kNodeOrder);
  auto nodes = trace.nodes;
  shuffle(nodes, order);
  for (const auto& facts : nodes) cache.set_node(facts);
  DemandRun run;
  run.policy = policy.name;
  run.seed = seed;
  Curve curve;
  std::int64_t arrived = 0, allocated = 0;
  const auto percent = [&trace](std::int64_t milli) {
    return 100 * static_cast<double>(milli) / static_cast<double>(trace.capacity_milli);
  };
  for (const PodPtr& pod : gpu_demand_pods(trace, options.demand, seed)) {
    if (options.ties == Ties::kFirst) rotation = {};
    arrived += asked(*pod);
    if (place(profile, pod, cache, rotation)) {
      allocated += asked(*pod);
      ++run.placed;
    } else {
      ++run.unfit;
    }
    curve.add(static_cast<int>(std::lround(percent(arrived))), percent(allocated),
              [&] { return fragmented_percent(cache, trace); });
  }
  run.points = curve.take();
  return run;
}

double DemandRun::allocated_at(int arrived_percent) const {
  double allocated = 0;
  for (const DemandPoint& point : points) {
    if (point.arrived_percent <= arrived_percent) allocated = point.allocated_percent;
  }
  return allocated;
}

}  // namespace coracle::sim
