#include "cycle/cycle.hpp"

#include <catch2/catch.hpp>

#include "framework/testing.hpp"
#include "plugins/registry.hpp"

namespace coracle::scheduler {
namespace {

using testing::a_node;
using testing::a_pod;
using testing::a_world;

const std::string kHopeless3 =
    " preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.";

TEST_CASE("where no node fits, the reasons are upstream's sentence") {
  struct Case {
    const char* name;
    std::vector<a_node> nodes;
    std::vector<a_pod> placed;
    a_pod pod;
    std::string message;
  };
  const std::string taint = "node-role.kubernetes.io/control-plane";
  const std::vector<a_node> three{a_node("n1"), a_node("n2"), a_node("n3")};
  const std::vector<Case> cases{
      {"no nodes", {}, {}, a_pod("p"), "no nodes available to schedule pods"},
      {"more than any node has",
       three,
       {},
       a_pod("p").cpu("5"),
       "0/3 nodes are available: 3 Insufficient cpu." + kHopeless3},
      {"two reasons, sorted as text",
       {a_node("n1").taint(taint, "", "NoSchedule"), a_node("n2"), a_node("n3")},
       {a_pod("a").cpu("4").on("n2"), a_pod("b").cpu("4").on("n3")},
       a_pod("p").cpu("1"),
       "0/3 nodes are available: 1 node(s) had untolerated taint {" + taint +
           ": }, 2 Insufficient cpu. preemption: 0/3 nodes are available: 1 Preemption is not "
           "helpful for scheduling, 2 No preemption victims found for incoming pod."},
      {"cordoned",
       {a_node("n1").set("spec.unschedulable", "true")},
       {},
       a_pod("p"),
       "0/1 nodes are available: 1 node(s) were unschedulable. preemption: 0/1 nodes are "
       "available: 1 Preemption is not helpful for scheduling."},
      {"node selector",
       three,
       {},
       a_pod("p").set("spec.nodeSelector", R"({"disk":"ssd"})"),
       "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector." +
           kHopeless3},
      {"host port",
       {a_node("n1")},
       {a_pod("a").host_port(80).on("n1")},
       a_pod("p").host_port(80),
       "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports. "
       "preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."},
      {"full node",
       {a_node("n1").has("pods", "1")},
       {a_pod("a").on("n1")},
       a_pod("p"),
       "0/1 nodes are available: 1 Too many pods. preemption: 0/1 nodes are available: 1 No "
       "preemption victims found for incoming pod."},
      {"may not preempt",
       {a_node("n1")},
       {},
       a_pod("p").cpu("5").set("spec.preemptionPolicy", "\"Never\""),
       "0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to "
       "preemptionPolicy=Never."},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    Rotation rotation;
    const Decision d =
        decide(default_profile(), *c.pod.info(), a_world(c.nodes, c.placed), rotation);
    CHECK(d.kind == Decision::Kind::kFitsNowhere);
    CHECK(d.message == c.message);
  }
}

TEST_CASE("the emptier node is preferred") {
  Rotation rotation;
  const auto world = a_world({a_node("n1"), a_node("n2")}, {a_pod("a").cpu("2").on("n1")});
  const Decision d = decide(default_profile(), *a_pod("p").cpu("1").info(), world, rotation);
  CHECK(d.kind == Decision::Kind::kPlaced);
  CHECK(d.node == "n2");
  CHECK(d.scores.size() == 2);
}

TEST_CASE("equals take turns") {
  Rotation rotation;
  const auto world = a_world({a_node("n1"), a_node("n2"), a_node("n3")});
  std::vector<std::string> chosen;
  for (int i = 0; i < 4; ++i) {
    chosen.push_back(decide(default_profile(), *a_pod("p").info(), world, rotation).node);
  }
  CHECK(chosen == std::vector<std::string>{"n1", "n2", "n3", "n1"});
}

TEST_CASE("pod anti-affinity and topology spread say no") {
  Rotation rotation;
  const char* apart = R"({"requiredDuringSchedulingIgnoredDuringExecution":[
    {"labelSelector":{"matchLabels":{"app":"web"}},"topologyKey":"kubernetes.io/hostname"}]})";
  const auto world = a_world({a_node("n1")}, {a_pod("a").label("app", "web").on("n1")});
  auto d = decide(default_profile(), *a_pod("p").set("spec.affinity.podAntiAffinity", apart).info(),
                  world, rotation);
  CHECK(d.message.starts_with(
      "0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules. preemption:"));
  const char* spread = R"([{"maxSkew":1,"topologyKey":"zone","whenUnsatisfiable":"DoNotSchedule",
    "labelSelector":{"matchLabels":{"app":"web"}}}])";
  const auto zones = a_world({a_node("n1").label("zone", "a"), a_node("n2").label("zone", "b")},
                             {a_pod("a").label("app", "web").on("n1")});
  d = decide(default_profile(),
             *a_pod("p").label("app", "web").set("spec.topologySpreadConstraints", spread).info(),
             zones, rotation);
  CHECK(d.node == "n2");
  REQUIRE(d.noes.size() == 1);
  CHECK(d.noes[0].verdict.reasons() ==
        std::vector<std::string>{"node(s) didn't match pod topology spread constraints"});
}

TEST_CASE("how many fitting nodes are enough") {
  CHECK(enough_nodes(99, 0) == 99);
  CHECK(enough_nodes(1000, 0) == 420);
  CHECK(enough_nodes(5000, 0) == 500);
  CHECK(enough_nodes(200, 10) == 100);
}

}  // namespace
}  // namespace coracle::scheduler
