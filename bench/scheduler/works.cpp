#include "works.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cache/cache.hpp"
#include "cycle/cycle.hpp"
#include "plugins/registry.hpp"
#include "queue/queue.hpp"

namespace coracle::bench {
namespace {

using scheduler::PodPtr;

std::shared_ptr<const scheduler::NodeFacts> a_node(int i) {
  const std::string name = fmt::format("scheduler-perf-{}", i);
  const json::object labels{{"kubernetes.io/hostname", name},
                            {"topology.kubernetes.io/zone", fmt::format("zone-{}", i % 3)}};
  const json::object allocatable{{"cpu", "4"}, {"memory", "32Gi"}, {"pods", "110"}};
  return scheduler::parse_node(
      json::object{{"metadata", json::object{{"name", name}, {"labels", labels}}},
                   {"spec", json::object()},
                   {"status", json::object{{"allocatable", allocatable}}}});
}

struct Shape {
  std::string cpu, memory = "500Mi";
  std::int64_t priority = 0;
  json::object affinity = {};
};

PodPtr a_pod(const std::string& name, const Shape& shape) {
  const json::object requests{{"cpu", shape.cpu}, {"memory", shape.memory}};
  const json::object container{{"name", "pause"},
                               {"image", "registry.k8s.io/pause:3.10"},
                               {"resources", json::object{{"requests", requests}}}};
  json::object spec{{"containers", json::array{container}}, {"priority", shape.priority}};
  if (!shape.affinity.empty()) spec["affinity"] = shape.affinity;
  return scheduler::parse_pod(
      json::object{{"metadata", json::object{{"name", name},
                                             {"namespace", "sched"},
                                             {"uid", name},
                                             {"labels", json::object{{"color", "green"}}}}},
                   {"spec", std::move(spec)}});
}

Shape initial_shape(const Workload& workload) {
  if (workload.name == "Preemption") return {"900m"};
  return {"100m"};
}

Shape measured_shape(const Workload& workload) {
  if (workload.name == "Preemption") return {"3", "500Mi", 10};
  Shape shape{"100m"};
  if (workload.name == "PodAntiAffinity") {
    const json::object term{
        {"topologyKey", "kubernetes.io/hostname"},
        {"labelSelector", json::object{{"matchLabels", json::object{{"color", "green"}}}}}};
    shape.affinity["podAntiAffinity"] =
        json::object{{"requiredDuringSchedulingIgnoredDuringExecution", json::array{term}}};
  }
  return shape;
}

class World {
 public:
  explicit World(int nodes) {
    for (int i = 0; i < nodes; ++i) cache_.set_node(a_node(i));
  }
  // Where pods already are, evenly.
  void fill(int pods, const Shape& shape, int nodes) {
    for (int i = 0; i < pods; ++i) {
      cache_.set_pod(scheduler::placed_on(*a_pod(fmt::format("initial-{}", i), shape),
                                          fmt::format("scheduler-perf-{}", i % nodes)));
    }
  }
  scheduler::Queue& queue() { return queue_; }
  // One pod of the queue, until it has its node or fits nowhere.
  void place(TimePoint now, Measured& out) {
    const PodPtr pod = queue_.take(now);
    auto decision = scheduler::decide(profile_, pod, cache_.snapshot(), rotation_);
    if (!decision.victims.empty()) {
      for (const PodPtr& victim : decision.victims) cache_.remove_pod(victim->key);
      cache_.surroundings().nominations.set(pod, decision.nominated);
      ++out.preempted;
      decision = scheduler::decide(profile_, pod, cache_.snapshot(), rotation_);
    }
    queue_.remove(pod->key);
    if (decision.kind != scheduler::Decision::Kind::kPlaced) return;
    cache_.assume(*pod, decision.node);
    cache_.surroundings().nominations.remove(pod->uid);
    ++out.placed;
  }

 private:
  const scheduler::Profile profile_ = scheduler::default_profile();
  scheduler::Cache cache_;
  scheduler::Queue queue_;
  scheduler::Rotation rotation_;
};

}  // namespace

std::vector<Workload> workloads() {
  return {{"SchedulingBasic", 500, 500, 1000}, {"SchedulingBasic", 5000, 1000, 10'000},
          {"Preemption", 500, 2000, 500},      {"Preemption", 5000, 20'000, 2000},
          {"PodAntiAffinity", 500, 100, 400},  {"PodAntiAffinity", 5000, 1000, 1000}};
}

double Measured::percentile(double share) const {
  if (micros.empty()) return 0;
  const auto at = static_cast<size_t>(share * static_cast<double>(micros.size() - 1));
  return micros[at];
}

Measured run(const Workload& workload, const Clock& clock) {
  World world(workload.nodes);
  world.fill(workload.initial, initial_shape(workload), workload.nodes);
  for (int i = 0; i < workload.measured; ++i) {
    world.queue().put(a_pod(fmt::format("measured-{}", i), measured_shape(workload)), clock.now());
  }
  Measured out;
  const TimePoint start = clock.now();
  for (int i = 0; i < workload.measured; ++i) {
    const TimePoint before = clock.now();
    world.place(before, out);
    out.micros.push_back(std::chrono::duration<double, std::micro>(clock.now() - before).count());
  }
  out.seconds = std::chrono::duration<double>(clock.now() - start).count();
  std::sort(out.micros.begin(), out.micros.end());
  return out;
}

}  // namespace coracle::bench
