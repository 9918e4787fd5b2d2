#include "nodelifecycle/zones.hpp"

#include <catch2/catch.hpp>

#include "api/object.hpp"
#include "base/yaml.hpp"
#include "nodelifecycle/nodelifecycle.hpp"

using namespace coracle;
using namespace coracle::controllers;
using namespace std::chrono_literals;
using Rule = EvictionGate::Rule;

namespace {

const WallTime kNoon = *parse_time("2026-01-01T12:00:00Z");

struct Cluster {
  FixedWorld world;

  void node(const std::string& name, bool up, const std::string& zone = "a",
            const std::string& marked = "") {
    const std::string taints =
        marked.empty() ? "[]"
                       : "[{key: node.kubernetes.io/unreachable, effect: NoExecute, timeAdded: '" +
                             marked + "'}]";
    world.put(gvr::kNodes, *parse_yaml_one("{metadata: {name: " + name +
                                           ", labels: {topology.kubernetes.io/zone: " + zone +
                                           "}}, spec: {taints: " + taints +
                                           "}, status: {conditions: [{type: "
                                           "Ready, status: '" +
                                           (up ? "True" : "Unknown") + "'}]}}"));
  }
  void nodes(const std::string& prefix, int count, bool up, const std::string& zone = "a") {
    for (int i = 0; i < count; ++i) node(prefix + std::to_string(100 + i), up, zone);
  }
  EvictionGate gate(const std::string& name) {
    return eviction_gate(world.view(), *world.view().get(gvr::kNodes, "", name), kNoon);
  }
};

}  // namespace

TEST_CASE("nodes that are down are given up one by one, zone by zone") {
  Cluster c;
  c.nodes("up", 5, true);
  c.node("down1", false);
  c.node("down2", false);
  c.node("elsewhere", false, "b");
  CHECK(c.gate("down1").rule == Rule::kMark);
  CHECK(c.gate("down2").rule == Rule::kWait);
  CHECK(c.gate("down2").wait == Duration(10s));
  CHECK(c.gate("elsewhere").rule == Rule::kMark);
  c.node("down1", false, "a", "2026-01-01T11:59:57Z");
  CHECK(c.gate("down1").rule == Rule::kMark);  // it stays marked
  CHECK(c.gate("down2").wait == Duration(7s));
  c.node("down1", false, "a", "2026-01-01T11:59:50Z");
  CHECK(c.gate("down2").rule == Rule::kMark);
}

TEST_CASE("where most of a zone is down it goes slowly, or not at all") {
  Cluster c;
  c.nodes("up", 2, true);
  c.nodes("down", 3, false);
  CHECK(c.gate("down100").rule == Rule::kWait);
  Cluster large;
  large.nodes("up", 20, true);
  large.nodes("down", 40, false);
  CHECK(large.gate("down100").rule == Rule::kMark);
  CHECK(large.gate("down101").wait == Duration(100s));
}

TEST_CASE("a zone that is gone is given up, a whole cluster is not") {
  Cluster c;
  c.nodes("gone", 3, false, "a");
  c.nodes("up", 1, true, "b");
  CHECK(c.gate("gone100").rule == Rule::kMark);
  CHECK(c.gate("gone101").wait == Duration(10s));
  c.nodes("up", 1, false, "b");
  CHECK(c.gate("gone100").rule == Rule::kUnmark);
  c.node("gone100", false, "a", "2026-01-01T11:59:00Z");
  const json::value node = *c.world.view().get(gvr::kNodes, "", "gone100");
  const json::array taints = desired_taints(node, kNoon, Rule::kUnmark);
  REQUIRE(taints.size() == 1);
  CHECK(get_string(taints[0], "effect") == "NoSchedule");
}
