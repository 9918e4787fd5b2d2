#include "works.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.hpp"
#include "cache/cache.hpp"
#include "cycle/cycle.hpp"
#include "plugins/registry.hpp"
#include "queue/queue.hpp"
#include "templates.hpp"

namespace coracle::bench {
namespace {

using scheduler::PodPtr;

// In virtual time upstream's interval of a second has no meaning here.
constexpr int kPodsPerChurn = 100;

// What upstream's configuration says of a workload besides its counts.
struct Kind {
  const char* name;
  std::vector<std::string> initial;  // templates; as many pods of each
  std::string measured;
  std::vector<std::string> zones;  // of nodes, in turn; none: no zones
  bool churns = false;
  bool on_one_node = false;
};

const Kind& kind_of(const std::string& name) {
  static const std::vector<Kind> kKinds{
      {"SchedulingBasic", {"default"}, "default", {}},
      {"PodAntiAffinity", {"pod-anti-affinity"}, "pod-anti-affinity", {}},
      {"PodAffinity", {"pod-affinity"}, "pod-affinity", {"zone1"}},
      {"PreferredPodAffinity", {"preferred-pod-affinity"}, "preferred-pod-affinity", {}},
      {"PreferredPodAntiAffinity",
       {"preferred-pod-anti-affinity"},
       "preferred-pod-anti-affinity",
       {}},
      {"NodeAffinity", {"node-affinity"}, "node-affinity", {"zone1"}},
      {"TopologySpreading", {"default"}, "topology-spreading", {"moon-1", "moon-2", "moon-3"}},
      {"MixedSchedulingBasePod",
       {"default", "pod-affinity", "pod-anti-affinity", "preferred-pod-affinity",
        "preferred-pod-anti-affinity"},
       "default",
       {"zone1"}},
      {"Preemption", {"low-priority"}, "high-priority", {}},
      {"Unschedulable", {"large-cpu"}, "default", {}},
      {"SchedulingWithMixedChurn", {}, "default", {}, true},
      {"Daemonset", {}, "daemonset", {}, false, true},
  };
  const auto found = std::find_if(kKinds.begin(), kKinds.end(),
                                  [&](const Kind& kind) { return kind.name == name; });
  CHECK_MSG(found != kKinds.end(), "no workload " << name);
  return *found;
}

class World {
 public:
  World(const Workload& workload, const Kind& kind) : kind_(kind) {
    for (int i = 0; i < workload.nodes; ++i) {
      const auto& zones = kind.zones;
      cache_.set_node(a_node(fmt::format("scheduler-perf-{}", i),
                             zones.empty() ? "" : zones[static_cast<size_t>(i) % zones.size()]));
    }
    if (kind.on_one_node) cache_.set_node(a_node(kDaemonNode, "", "100000"));
  }

  void put(const std::string& pod_template, const std::string& ns, const std::string& name,
           TimePoint now) {
    queue_.put(a_pod(pod_template, ns, name), now);
  }
  size_t waiting() const { return queue_.sizes().parked + queue_.sizes().backoff; }

  // One pod of the queue, until it has its node or fits nowhere. False: none is left.
  bool place(TimePoint now, Measured& out) {
    const PodPtr pod = queue_.take(now);
    if (pod == nullptr) return false;
    auto decision = scheduler::decide(profile_, pod, cache_.snapshot(), rotation_);
    if (!decision.victims.empty()) {
      for (const PodPtr& victim : decision.victims) remove(victim->key, now);
      cache_.surroundings().nominations.set(pod, decision.nominated);
      ++out.preempted;
      decision = scheduler::decide(profile_, pod, cache_.snapshot(), rotation_);
    }
    if (decision.kind != scheduler::Decision::Kind::kPlaced) {
      queue_.park(pod->key, decision.rejected_by, now);
      return true;
    }
    queue_.remove(pod->key);
    cache_.assume(*pod, decision.node);
    cache_.surroundings().nominations.remove(pod->uid);
    const PodPtr placed = scheduler::placed_on(*pod, decision.node);
    told({.events = cache_.set_pod(placed), .pod = placed}, now);
    ++out.placed;
    return true;
  }

  // As upstream's churn: a node, a pod that fits nowhere and a service come, or go again.
  void churn(TimePoint now) {
    const std::string node = "churn";
    if (const auto* known = cache_.find_node(node)) {
      const auto before = known->facts_ptr();
      cache_.remove_node(node);
      told({.events = scheduler::event::kNodeGone, .node_before = before}, now);
      queue_.remove("sched-0/churn");
      cache_.surroundings().workloads.services["sched-0"].erase("churn");
      return;
    }
    const scheduler::Events events = cache_.set_node(a_node(node, ""));
    told({.events = events, .node = cache_.find_node(node)}, now);
    put("high-priority-large-cpu", "sched-0", "churn", now);
    cache_.surroundings().workloads.services["sched-0"].emplace(
        "churn", api::LabelSelector::from_map({{"app", "churn"}}));
  }
  const Kind& kind() const { return kind_; }

 private:
  void remove(const std::string& key, TimePoint now) {
    const PodPtr pod = *cache_.find_pod(key);
    cache_.remove_pod(key);
    told({.events = scheduler::event::kPodGone, .pod = pod}, now);
  }
  void told(scheduler::Change change, TimePoint now) {
    change.world = &cache_.snapshot();
    queue_.on_change(change, now);
  }

  const Kind& kind_;
  const scheduler::Profile profile_ = scheduler::default_profile();
  scheduler::Cache cache_;
  scheduler::Queue queue_;
  scheduler::Rotation rotation_;
};

}  // namespace

std::vector<Workload> workloads() {
  return {{"SchedulingBasic", 500, 500, 1000},
          {"SchedulingBasic", 5000, 1000, 10'000},
          {"SchedulingBasic", 100'000, 10'000, 20'000, false},
          {"PodAntiAffinity", 500, 100, 400},
          {"PodAntiAffinity", 5000, 1000, 2000},
          {"PodAffinity", 500, 500, 1000},
          {"PodAffinity", 5000, 5000, 5000},
          {"PreferredPodAffinity", 500, 500, 1000},
          {"PreferredPodAffinity", 5000, 5000, 5000},
          {"PreferredPodAntiAffinity", 500, 500, 1000},
          {"PreferredPodAntiAffinity", 5000, 5000, 5000},
          {"NodeAffinity", 500, 500, 1000},
          {"NodeAffinity", 5000, 5000, 10'000},
          {"TopologySpreading", 500, 1000, 1000},
          {"TopologySpreading", 5000, 5000, 5000},
          {"MixedSchedulingBasePod", 500, 200, 1000},
          {"MixedSchedulingBasePod", 5000, 2000, 5000},
          {"Preemption", 500, 2000, 500},
          {"Preemption", 5000, 20'000, 5000},
          {"Unschedulable", 500, 200, 1000},
          {"Unschedulable", 5000, 200, 10'000},
          {"SchedulingWithMixedChurn", 500, 0, 1000},
          {"SchedulingWithMixedChurn", 5000, 0, 10'000},
          {"Daemonset", 500, 0, 1000},
          {"Daemonset", 5000, 0, 10'000}};
}

double Measured::percentile(double share) const {
  if (micros.empty()) return 0;
  const auto at = static_cast<size_t>(share * static_cast<double>(micros.size() - 1));
  return micros[at];
}

Measured run(const Workload& workload, const Clock& clock,
             const std::function<void()>& before_measuring) {
  World world(workload, kind_of(workload.name));
  Measured before, out;
  for (const std::string& initial : world.kind().initial) {
    for (int i = 0; i < workload.initial; ++i) {
      world.put(initial, "sched-0", fmt::format("{}-{}", initial, i), clock.now());
    }
  }
  while (world.place(clock.now(), before)) {
  }
  for (int i = 0; i < workload.measured; ++i) {
    world.put(world.kind().measured, "sched-1", fmt::format("measured-{}", i), clock.now());
  }
  before_measuring();
  const TimePoint start = clock.now();
  for (int i = 0; i < workload.measured; ++i) {
    if (world.kind().churns && i % kPodsPerChurn == 0) world.churn(clock.now());
    const TimePoint began = clock.now();
    if (!world.place(began, out)) break;
    out.micros.push_back(std::chrono::duration<double, std::micro>(clock.now() - began).count());
  }
  out.seconds = std::chrono::duration<double>(clock.now() - start).count();
  out.waiting = static_cast<int>(world.waiting());
  std::sort(out.micros.begin(), out.micros.end());
  return out;
}

}  // namespace coracle::bench
