// The shadow beside the scheduler of a simulated cluster.
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "client/resource.hpp"
#include "cluster_sim/world.hpp"
#include "live_sim/shadow.hpp"

namespace coracle::sim {
namespace {

using namespace std::chrono_literals;

const std::string kPacked = R"(apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
profiles:
- schedulerName: default-scheduler
  plugins: {score: {disabled: [{name: NodeResourcesBalancedAllocation}]}}
  pluginConfig:
  - name: NodeResourcesFit
    args: {scoringStrategy: {type: MostAllocated, resources: [{name: cpu, weight: 1}]}}
)";

// By default nodes of different sizes: no two score the same.
class Beside {
 public:
  // `before`: so many pods are placed before it looks.
  explicit Beside(const std::string& policy, const std::vector<int>& cpus = {4, 8, 16},
                  int before = 0)
      : world_(options(cpus)) {
    REQUIRE(world_.boot().message() == "");
    for (int i = 1; i <= before; ++i) create("before-" + std::to_string(i), "1");
    scheduler::Config config;
    if (!policy.empty()) REQUIRE(scheduler::parse_config(policy, &config).message() == "");
    shadow_ = std::make_unique<Shadow>(
        world_.executor(), world_.api(), Rng(7), std::move(config),
        [this](const ShadowVerdict& verdict) { verdicts.push_back(verdict); });
    shadow_->start();
    REQUIRE(world_.run_until([&] { return shadow_->has_synced(); }, 1min));
  }
  void create(const std::string& name, const std::string& cpu, const std::string& node = "") {
    const json::value pod = *parse_json(
        R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":")" + name +
        R"("},"spec":{"nodeName":")" + node +
        R"(","containers":[{"name":"c","image":"nginx","resources":{"requests":{"cpu":")" + cpu +
        R"("}}}]}})");
    bool done = false;
    spawn<client::ApiResult<json::value>>(
        client::ResourceClient(world_.api(), {"", "v1", "pods"}).create("default", pod),
        [&](const client::ApiResult<json::value>& made) {
          INFO(made.error().message);
          CHECK(made.ok());
          done = true;
        });
    REQUIRE(world_.run_until([&] { return done; }, 1min));
    world_.run_for(1s);
  }

  std::vector<ShadowVerdict> verdicts;

 private:
  static cluster_sim::WorldOptions options(const std::vector<int>& cpus) {
    cluster_sim::WorldOptions out;
    out.store.members = 0;
    for (const int cpu : cpus) {
      kubelet::NodeFacts node;
      node.name = fmt::format("node-{}", out.nodes.size() + 1);
      node.cpu = std::to_string(cpu);
      out.nodes.push_back(node);
    }
    return out;
  }
  cluster_sim::World world_;
  std::unique_ptr<Shadow> shadow_;
};

TEST_CASE("the cluster's own policy decides as the cluster did") {
  Beside beside("");
  for (int i = 1; i <= 5; ++i) beside.create("p" + std::to_string(i), "1");
  REQUIRE(beside.verdicts.size() == 5);
  for (const ShadowVerdict& verdict : beside.verdicts) {
    CAPTURE(verdict.pod->key, verdict.real_node, verdict.decision.node);
    REQUIRE(verdict.same());
    REQUIRE(verdict.decision.why.scored() == 3);
  }
}

TEST_CASE("another policy says where it would have put each pod, in the state there was") {
  Beside beside(kPacked);
  beside.create("p1", "1");
  beside.create("p2", "1");
  REQUIRE(beside.verdicts.size() == 2);
  for (const ShadowVerdict& verdict : beside.verdicts) {
    CAPTURE(verdict.pod->key);
    REQUIRE(verdict.real_node != "node-1");
    REQUIRE(verdict.decision.node == "node-1");
    REQUIRE_FALSE(verdict.same());
    REQUIRE_FALSE(verdict.equally_good());
  }
}

TEST_CASE("equals that take turns are no difference") {
  Beside beside("", {8, 8, 8}, 1);
  REQUIRE(beside.verdicts.empty());
  for (int i = 1; i <= 9; ++i) beside.create("p" + std::to_string(i), "1");
  REQUIRE(beside.verdicts.size() == 9);
  int equal = 0;
  for (const ShadowVerdict& verdict : beside.verdicts) {
    CAPTURE(verdict.pod->key, verdict.real_node, verdict.decision.node);
    REQUIRE(verdict.same() != verdict.equally_good());
    equal += verdict.equally_good();
  }
  REQUIRE(equal > 0);
}

TEST_CASE("what fits nowhere is judged once; who names a node itself asks no scheduler") {
  Beside beside(kPacked);
  beside.create("own", "1", "node-2");
  REQUIRE(beside.verdicts.empty());
  beside.create("huge", "64");
  REQUIRE(beside.verdicts.size() == 1);
  REQUIRE(beside.verdicts[0].same());
  REQUIRE(beside.verdicts[0].real_message == beside.verdicts[0].decision.message);
}

}  // namespace
}  // namespace coracle::sim
