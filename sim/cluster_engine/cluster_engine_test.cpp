// A plan played on the whole simulated cluster, told by the ledger.
#include <catch2/catch.hpp>

#include "cluster_engine/cluster_engine.hpp"

namespace coracle::sim {
namespace {

using std::chrono::minutes;

const std::string kHead = R"(apiVersion: sim.coracle.dev/v1alpha1
kind: Scenario
metadata: {name: t}
engine: cluster
duration: 1h
cluster:
  storeMembers: 1
  kubeletLease: 20s
  evictAfter: 30s
  nodes:
  - {class: m, count: 3, zones: [a, b, c], capacity: {cpu: 4, memory: 8Gi}}
)";

struct World {
  explicit World(const std::string& rest, const std::string& trace = "") {
    auto read = read_scenario(kHead + rest, "t.yaml",
                              [&](const std::string&) { return Result<std::string>(trace); });
    REQUIRE(read.status().message() == "");
    scenario = std::move(*read);
    plan = make_plan(scenario, 1);
    engine = make_cluster_engine({&scenario, &plan, {}, 1}, &ledger);
  }
  void until(Duration at) {
    const auto there = engine->run_until(at);
    REQUIRE(there.status().message() == "");
    REQUIRE(*there);
  }
  double number(const char* name) const { return ledger.number(name).value(); }

  Scenario scenario;
  Plan plan;
  Ledger ledger{{"cpu", "memory"}};
  std::unique_ptr<Engine> engine;
};

TEST_CASE("pods, Jobs and Deployments of a plan live in a whole cluster") {
  World world(R"(workload:
  generators:
  - name: once
    arrivals: {process: burst, every: 10h, size: 3}
    requests: {cpu: 500m}
    usage: {cpu: 0.5}
    lifetime: 2m
  - name: job
    owner: Job
    replicas: 2
    arrivals: {process: burst, every: 10h, size: 1}
    lifetime: 1m
    priority: 7
  - name: web
    owner: Deployment
    replicas: 3
    namespace: team
    arrivals: {process: burst, every: 10h, size: 1}
    lifetime: 10m
faults:
- {kind: node-down, zone: b, at: 5m, for: 3m}
)");
  REQUIRE(world.engine->begin().message() == "");
  world.until(minutes(1));
  REQUIRE(world.number("pods.created") == 8);
  REQUIRE(world.number("pods.scheduled") == 8);
  REQUIRE(world.ledger.find_pod("default/once-1")->usage.cpu_milli == 250);
  world.until(minutes(4));
  REQUIRE(world.number("pods.finished") == 5);
  world.ledger.sample(minutes(4), {});
  REQUIRE(world.ledger.points("nodes.ready").value().back().value == 3);
  world.until(minutes(7));
  world.ledger.sample(minutes(7), {});
  REQUIRE(world.ledger.points("nodes.ready").value().back().value == 2);
  REQUIRE(world.number("pods.evicted") == 1);
  REQUIRE(world.number("unscheduled") == 0);
  world.until(minutes(12));
  world.ledger.sample(minutes(12), {});
  REQUIRE(world.ledger.points("nodes.ready").value().back().value == 3);
  REQUIRE(world.ledger.points("pods.running").value().back().value == 0);
  REQUIRE(world.ledger.events().size() == 2);
}

TEST_CASE("two faults at one machine are over with the later one") {
  World world(R"(workload:
  generators: [{name: p, arrivals: {process: burst, every: 10h, size: 1}}]
faults:
- {kind: node-down, nodes: [m-1], at: 1m, for: 4m}
- {kind: node-down, zone: a, at: 2m, for: 6m}
- {kind: node-cordon, nodes: [m-2], at: 1m, for: 2m}
- {kind: node-cordon, nodes: [m-2], at: 3m, for: 2m}
)");
  REQUIRE(world.engine->begin().message() == "");
  const auto node = [&](size_t index) { return world.ledger.nodes().at(index); };
  world.until(minutes(7));  // m-1's first fault ended two minutes ago
  REQUIRE_FALSE(node(0).ready);
  REQUIRE(node(1).schedulable);
  world.until(minutes(9));
  REQUIRE(node(0).ready);
}

TEST_CASE("nodes of a trace join and leave, and names are used again") {
  World world(R"(workload:
  traces: [{file: t.jsonl, name: t}]
)",
              R"({"format":"coracle-trace/v1","name":"t"}
{"kind":"pod","at":1,"name":"a","requests":{"cpu":"3"},"until":60}
{"kind":"node","at":30,"name":"late","allocatable":{"cpu":"16","memory":"8Gi","pods":"20"}}
{"kind":"pod","at":61,"name":"a","requests":{"cpu":"10"},"lifetime":30}
{"kind":"nodeEvent","at":200,"node":"late","event":"remove"}
{"kind":"node","at":300,"name":"late","allocatable":{"cpu":"16","memory":"8Gi","pods":"20"}}
)");
  REQUIRE(world.engine->begin().message() == "");
  REQUIRE(world.ledger.nodes().size() == 3);
  world.until(minutes(3));
  REQUIRE(world.ledger.nodes().size() == 4);
  REQUIRE(world.ledger.nodes().back().ready);
  REQUIRE(world.ledger.pods().size() == 2);
  REQUIRE(world.ledger.pods()[0].end == PodEnd::kDeleted);
  REQUIRE(world.ledger.pods()[0].source == "t");
  REQUIRE(world.ledger.pods()[1].end == PodEnd::kFinished);
  REQUIRE(world.ledger.pods()[1].node == "late");
  world.until(minutes(4));
  REQUIRE_FALSE(world.ledger.nodes().back().there);
  world.until(minutes(6));
  REQUIRE(world.ledger.nodes().back().ready);
}

TEST_CASE("what waits in the scheduler's queue is seen while it runs") {
  World world(R"(workload:
  generators:
  - {name: p, arrivals: {process: burst, every: 10h, size: 5}, requests: {cpu: 3}}
faults:
- {kind: scheduler-kill, at: 5m, for: 2m}
)");
  REQUIRE(world.engine->begin().message() == "");
  REQUIRE(world.engine->queue().active == 0);
  world.until(minutes(4));
  REQUIRE(world.engine->queue().parked == 2);
  world.until(minutes(6));
  REQUIRE(world.engine->queue().parked == -1);
  world.until(minutes(9));
  REQUIRE(world.engine->queue().parked == 2);
}

TEST_CASE("a pod counts each decision about it, whoever hears of it first") {
  World world(R"(workload:
  generators:
  - {name: p, arrivals: {process: constant, every: 1s, count: 40}, requests: {cpu: 100m}}
)");
  REQUIRE(world.engine->begin().message() == "");
  world.until(minutes(2));
  REQUIRE(world.ledger.pods().size() == 40);
  for (const PodRow& pod : world.ledger.pods()) {
    CAPTURE(pod.key);
    REQUIRE(pod.attempts == 1);
    REQUIRE(pod.source == "p");
    REQUIRE(pod.bound.has_value());
  }
}

TEST_CASE("what the apiserver refuses ends the experiment in its words") {
  World world(R"(workload:
  generators:
  - {name: p, arrivals: {process: burst, every: 10h, size: 1}, spec: {serviceAccountName: nobody}}
)");
  REQUIRE(world.engine->begin().message() == "");
  const auto there = world.engine->run_until(minutes(10));
  REQUIRE(there.status().message().starts_with("the apiserver refuses Pod p-1: "));
  REQUIRE(there.status().message().find("nobody") != std::string::npos);
  REQUIRE(world.engine->now() < minutes(3));
}

TEST_CASE("it stops after each decision when asked to") {
  World world(R"(workload:
  generators: [{name: p, arrivals: {process: constant, every: 2s, count: 2}}]
)");
  REQUIRE(world.engine->begin().ok());
  REQUIRE_FALSE(*world.engine->run_until(minutes(1), true));
  REQUIRE(world.number("decisions") == 1);
  REQUIRE_FALSE(*world.engine->run_until(minutes(1), true));
  REQUIRE(world.number("decisions") == 2);
  REQUIRE(*world.engine->run_until(minutes(1), true));
}

}  // namespace
}  // namespace coracle::sim
