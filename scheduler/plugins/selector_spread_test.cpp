#include "plugins/selector_spread.hpp"

#include "plugins/pod_topology_spread.hpp"
#include "plugins/testing.hpp"

namespace coracle::scheduler {
namespace {

using testing::a_node;
using testing::a_pod;
using testing::a_world;
using testing::scored;
using testing::Scores;

a_pod web(const char* name) { return a_pod(name).label("app", "web"); }

// Two pods on n1, one on n3; a service selects them.
Snapshot served(const std::vector<a_node>& nodes) {
  Snapshot world = a_world(nodes, {web("a").on("n1"), web("b").on("n1"), web("c").on("n3")});
  world.workloads.services["default"].emplace(
      "web", api::LabelSelector::from_map(json::object{{"app", "web"}}));
  return world;
}

const std::vector<a_node> kPlain{a_node("n1"), a_node("n2"), a_node("n3")};

TEST_CASE("SelectorSpread scores by node, and twice as much by zone") {
  const SelectorSpread plugin;
  const PodPtr pod = web("p").info();
  CHECK(scored(plugin, *pod, served(kPlain)) == Scores{0, 100, 50});
  // Zone a has 2 of at most 2: 0; zone b has 1: 50. (0+0)/3, (100+0)/3, (50+2*50)/3.
  const auto zones =
      served({a_node("n1").zone("a"), a_node("n2").zone("a"), a_node("n3").zone("b")});
  CHECK(scored(plugin, *pod, zones) == Scores{0, 33, 50});
}

TEST_CASE("SelectorSpread has no say about pods nobody selects or that spread by themselves") {
  const SelectorSpread plugin;
  CHECK(scored(plugin, *a_pod("p").info(), served(kPlain)).empty());
  const a_pod own =
      web("p").set("spec.topologySpreadConstraints",
                   R"([{"topologyKey":"zone","maxSkew":1,"whenUnsatisfiable":"ScheduleAnyway"}])");
  CHECK(scored(plugin, *own.info(), served(kPlain)).empty());
}

// By host, skew 3, a pod weighs ln(3+2) = 1.609: 2*1.609+2 = 5, 2, 1.609+2 = 4 (rounded);
// nobody has a zone, so that constraint adds nothing. 100 * (5 + 2 - score) / 5.
TEST_CASE("PodTopologySpread spreads selected pods by its defaults") {
  const PodTopologySpread plugin(PodTopologySpread::upstream_defaults(), true);
  CHECK(scored(plugin, *web("p").info(), served(kPlain)) == Scores{40, 100, 60});
  CHECK(scored(plugin, *a_pod("p").info(), served(kPlain)).empty());
}

// Zones a, b and "none": a pod weighs ln(3+2) = 1.609 there too. n1: by host 2*1.609+2, by zone
// 2*1.609+4, in all 12.4; n2: 2+4; n3: 1.609+2, rounded 4. 100 * (12 + 4 - score) / 12.
TEST_CASE("PodTopologySpread: nodes without a zone are one domain of the defaults") {
  const PodTopologySpread plugin(PodTopologySpread::upstream_defaults(), true);
  const auto zones = served({a_node("n1").zone("a"), a_node("n2").zone("b"), a_node("n3")});
  CHECK(scored(plugin, *web("p").info(), zones) == Scores{33, 83, 100});
  CHECK(scored(plugin, *web("p").info(), zones, false) == Scores{12, 6, 4});
  // With three pods on n1 it shows: 3*1.609+2 + 3*1.609+4 = 15.7; with two zones only it were 15.0.
  Snapshot more = a_world({a_node("n1").zone("a"), a_node("n2").zone("b"), a_node("n3")},
                          {web("a").on("n1"), web("b").on("n1"), web("c").on("n1")});
  more.workloads = zones.workloads;
  CHECK(scored(plugin, *web("p").info(), more, false) == Scores{16, 6, 2});
}

}  // namespace
}  // namespace coracle::scheduler
