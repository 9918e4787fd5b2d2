// The placement engine's model of a cluster, told by its ledger.
#include <catch2/catch.hpp>

#include "experiment/engine.hpp"

namespace coracle::sim {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// A scenario is read from text, so that what is tried here is what people write.
const std::string kHead = R"(apiVersion: sim.coracle.dev/v1alpha1
kind: Scenario
metadata: {name: t}
engine: placement
duration: 1h
cluster:
  decisionTime: 1ms
  nodes:
  - {class: m, count: 2, zones: [a, b], capacity: {cpu: 4, memory: 8Gi}}
)";

class World {
 public:
  explicit World(const std::string& rest, std::uint64_t seed = 1) {
    auto scenario = read_scenario(kHead + rest, "t.yaml", [](const std::string& path) {
      return Result<std::string>(not_found(path));
    });
    REQUIRE(scenario.status().message() == "");
    scenario_ = std::move(*scenario);
    plan_ = make_plan(scenario_, seed);
    engine = make_placement_engine({&scenario_, &plan_, {}, seed}, &ledger);
    ledger.on_decision([this](const DecisionRow& row) {
      log += std::to_string(row.at.count()) + row.decision->pod->key + row.decision->node + ";";
    });
    REQUIRE(engine->begin().ok());
  }
  void until(Duration at) {
    const auto there = engine->run_until(at);
    REQUIRE(there.status().message() == "");
    REQUIRE(*there);
  }
  const PodRow& pod(const std::string& name) {
    const PodRow* row = ledger.find_pod("default/" + name);
    REQUIRE(row != nullptr);
    return *row;
  }
  double number(const char* name) { return ledger.number(name).value(); }

  Ledger ledger{{"cpu", "memory"}};
  std::unique_ptr<Engine> engine;
  std::string log;

 private:
  Scenario scenario_;
  Plan plan_;
};

std::string pods(int count, const std::string& more) {
  return "workload:\n  generators:\n  - name: p\n    arrivals: {process: burst, every: 10h, "
         "size: " +
         std::to_string(count) + "}\n    requests: {cpu: 2, memory: 1Gi}\n" + more;
}

TEST_CASE("pods are placed, run for their lifetime, and make room for those that wait") {
  World world(pods(5, "    lifetime: 10m\n"));
  world.until(minutes(5));
  REQUIRE(world.number("pods.scheduled") == 4);
  REQUIRE(world.number("unscheduled") == 1);
  REQUIRE(world.pod("p-5").message.starts_with("0/2 nodes are available: 2 Insufficient cpu."));
  world.ledger.sample(minutes(5), world.engine->queue());
  REQUIRE(world.ledger.points("utilisation.cpu").value().at(0).value == 1.0);
  REQUIRE(world.ledger.points("queue.parked").value().at(0).value == 1.0);
  world.until(minutes(12));
  REQUIRE(world.number("pods.finished") == 4);
  REQUIRE(world.number("unscheduled") == 0);
  REQUIRE(*world.pod("p-5").bound >= minutes(10));
  REQUIRE(world.pod("p-1").end == PodEnd::kFinished);
  REQUIRE(*world.pod("p-1").ended - *world.pod("p-1").started == minutes(10));
}

TEST_CASE("decisions take their time, one after the other") {
  World world(pods(3, ""));
  world.until(seconds(1));
  REQUIRE(world.pod("p-1").bound == std::chrono::milliseconds(1));
  REQUIRE(world.pod("p-3").bound == std::chrono::milliseconds(3));
}

TEST_CASE(
    "pods of a node that is down are given up after lease and patience; owners replace them") {
  const std::string down = "faults:\n- {kind: node-down, zone: a, at: 10m, for: 20m}\n";
  SECTION("a bare pod is gone") {
    World world(pods(2, "") + down);
    world.until(minutes(10) + seconds(39));
    world.ledger.sample(minutes(10), world.engine->queue());
    REQUIRE(world.ledger.points("nodes.ready").value().back().value == 2);
    world.until(minutes(11));
    world.ledger.sample(minutes(11), world.engine->queue());
    REQUIRE(world.ledger.points("nodes.ready").value().back().value == 1);
    REQUIRE(world.number("pods.evicted") == 0);
    world.until(minutes(16));
    REQUIRE(world.number("pods.evicted") == 1);
    REQUIRE(world.number("pods.created") == 2);
  }
  SECTION("a Deployment has another") {
    World world(pods(1, "    owner: Deployment\n    replicas: 2\n") + down);
    world.until(minutes(20));
    REQUIRE(world.number("pods.evicted") == 1);
    REQUIRE(world.number("pods.created") == 3);
    REQUIRE(world.number("pods.scheduled") == 3);
  }
  SECTION("who is back in time loses none, and runs anew") {
    World world(pods(2, "    lifetime: 12m\n") +
                "faults:\n- {kind: node-down, zone: a, at: 10m, for: 2m}\n");
    world.until(minutes(13));
    REQUIRE(world.number("pods.finished") == 1);
    world.until(minutes(25));
    REQUIRE(world.number("pods.finished") == 2);
    REQUIRE(world.number("pods.evicted") == 0);
    REQUIRE(*world.ledger.pods().at(world.pod("p-1").node == "m-1" ? 0 : 1).ended == minutes(24));
  }
  SECTION("who was only silent ran on") {
    World world(pods(2, "    lifetime: 12m\n") +
                "faults:\n- {kind: node-silent, zone: a, at: 10m, for: 4m}\n");
    world.until(minutes(13));
    REQUIRE(world.number("pods.finished") == 1);
    world.until(minutes(15));
    REQUIRE(world.number("pods.finished") == 2);
  }
}

TEST_CASE("the more important pod takes the place of others") {
  World world(R"(workload:
  generators:
  - name: low
    arrivals: {process: burst, every: 10h, size: 2}
    requests: {cpu: 3}
  - name: high
    arrivals: {process: burst, every: 10h, from: 1m, size: 1}
    requests: {cpu: 3}
    priority: 10
)");
  world.until(minutes(2));
  REQUIRE(world.number("pods.preempted") == 1);
  REQUIRE(world.pod("high-1").bound);
  REQUIRE(world.number("pods.scheduled") == 3);
}

TEST_CASE("a cordoned node takes no more") {
  World world(pods(4, "").substr(0) + "faults:\n- {kind: node-cordon, zone: a, at: 0s, for: 5m}\n");
  world.until(minutes(4));
  REQUIRE(world.number("pods.scheduled") == 2);
  world.until(minutes(11));
  REQUIRE(world.number("pods.scheduled") == 4);
}

TEST_CASE("same seed, same decisions; another seed, others") {
  const std::string text = R"(workload:
  generators:
  - name: p
    owner: {choice: [{value: Pod}, {value: Job}, {value: Deployment}]}
    arrivals: {process: poisson, perMinute: 4}
    requests: {cpu: {lognormal: {median: 500m, sigma: 0.7, max: 3}}}
    lifetime: {exponential: {mean: 3m, min: 1s}}
    priority: {choice: [{value: 0, weight: 4}, {value: 10}]}
faults:
- {kind: node-down, count: 1, every: {exponential: {mean: 10m}}, lasts: {uniform: {from: 1m, to: 8m}}}
)";
  const auto log_of = [&](std::uint64_t seed) {
    World world(text, seed);
    world.until(minutes(60));
    REQUIRE(world.number("decisions") > 100);
    return world.log;
  };
  const std::string first = log_of(1);
  REQUIRE(log_of(1) == first);
  REQUIRE(log_of(2) != first);
}

TEST_CASE("it stops after each decision when asked to") {
  World world(pods(2, ""));
  REQUIRE_FALSE(*world.engine->run_until(minutes(1), true));
  REQUIRE(world.number("decisions") == 1);
  REQUIRE_FALSE(*world.engine->run_until(minutes(1), true));
  REQUIRE(world.number("decisions") == 2);
  REQUIRE(*world.engine->run_until(minutes(1), true));
}

}  // namespace
}  // namespace coracle::sim
