#include "cluster_sim/world.hpp"

#include <catch2/catch.hpp>

#include "client/resource.hpp"
#include "cluster_sim/drill.hpp"

namespace coracle::cluster_sim {
namespace {

using namespace std::chrono_literals;

const client::Gvr kDeployments{"apps", "v1", "deployments", true};

WorldOptions small(std::uint64_t seed) {
  WorldOptions options;
  options.seed = seed;
  options.store.members = 0;
  for (int i = 1; i <= 5; ++i) {
    kubelet::NodeFacts node;
    node.name = "node-" + std::to_string(i);
    node.labels["topology.kubernetes.io/zone"] = i <= 2 ? "a" : "b";
    options.nodes.push_back(node);
  }
  return options;
}

json::value deployment(const std::string& name, int replicas) {
  return *parse_json(R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":")" + name +
                     R"(","namespace":"default"},"spec":{"replicas":)" + std::to_string(replicas) +
                     R"(,"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":)" +
                     R"({"labels":{"app":"web"}},"spec":{"containers":[{"name":"c","image":)" +
                     R"("nginx","resources":{"requests":{"cpu":"200m"}}}]}}}})");
}

void create(World& world, json::value object) {
  bool done = false;
  client::ResourceClient client(world.api(), kDeployments);
  spawn<client::ApiResult<json::value>>(client.create("default", object),
                                        [&](const client::ApiResult<json::value>& made) {
                                          INFO(made.error().message);
                                          CHECK(made.ok());
                                          done = true;
                                        });
  REQUIRE(world.run_until([&] { return done; }, 1min));
}

int running_pods(World& world) {
  int running = 0;
  for (const auto& [key, pod] : world.pods().objects()) {
    for (const json::value& c : get_array(*pod, "status.conditions")) {
      running += get_string(c, "type") == "Ready" && get_string(c, "status") == "True";
    }
  }
  return running;
}

TEST_CASE("a cluster starts, and a Deployment's pods run") {
  World world(small(1));
  const Status booted = world.boot();
  INFO(booted.message());
  REQUIRE(booted.ok());
  create(world, deployment("web", 8));
  CHECK(world.run_until([&] { return running_pods(world) == 8; }, 2min));
  CHECK(world.failure().empty());
}

TEST_CASE("so it does on members of a real store") {
  WorldOptions options = small(2);
  options.store.members = 3;
  World world(options);
  const Status booted = world.boot();
  INFO(booted.message());
  REQUIRE(booted.ok());
  CHECK(world.leader().starts_with("store-"));
  create(world, deployment("web", 8));
  CHECK(world.run_until([&] { return running_pods(world) == 8; }, 2min));
  world.run_for(10s);  // their controllers count them
  CHECK(world.unsettled() == "");
}

TEST_CASE("pods of a node that lost power come back elsewhere") {
  WorldOptions options = small(3);
  options.kubelet.lease_duration = 8s;
  World world(options);
  REQUIRE(world.boot().ok());
  create(world, deployment("web", 8));
  REQUIRE(world.run_until([&] { return running_pods(world) == 8; }, 2min));
  for (const std::string& machine : world.machines_of_zone("a")) {
    REQUIRE(world.kill(machine).ok());
  }
  // Five minutes of toleration, then they are deleted and made anew.
  const auto all_in_b = [&] {
    int there = 0;
    for (const auto& [key, pod] : world.pods().objects()) {
      const std::string_view node = get_string(*pod, "spec.nodeName");
      there += (node == "node-3" || node == "node-4" || node == "node-5") &&
               get_string(*pod, "status.phase") == "Running";
    }
    return there == 8;
  };
  CHECK(world.run_until(all_in_b, 10min));
  CHECK(world.failure().empty());
}

TEST_CASE("machines that are not there have no faults") {
  World world(small(4));
  CHECK(world.kill("node-77").code() == Code::kNotFound);
  CHECK(world.cut("node-1", "nobody").code() == Code::kNotFound);
  CHECK(world.disk("store-1", World::DiskFault::kFull).code() == Code::kFailedPrecondition);
}

TEST_CASE("impossible worlds are named") {
  WorldOptions options = small(1);
  options.nodes.push_back(options.nodes.front());
  CHECK(check(options).message() == "nodes: \"node-1\" is there twice");
  options = small(1);
  options.store.members = 2;
  CHECK(check(options).message() == "store.members: 2 is not 0, 1, 3 or 5");
}

std::string log_of(std::uint64_t seed) {
  DrillOptions options;
  options.seed = seed;
  options.faults_for = 5min;
  std::string log;
  const DrillOutcome outcome = run_drill(options, [&](std::uint64_t, const std::string& line) {
    log += line;
    log += '\n';
  });
  INFO(outcome.failure);
  CHECK(outcome.failure.empty());
  CHECK(outcome.stats.binds > 0);
  return log + std::to_string(outcome.stats.events);
}

TEST_CASE("equal seeds give equal worlds, faults and all; others differ") {
  const std::string first = log_of(11);
  CHECK(first == log_of(11));
  CHECK(first != log_of(12));
}

}  // namespace
}  // namespace coracle::cluster_sim
