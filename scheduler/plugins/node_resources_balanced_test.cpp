#include "plugins/node_resources_balanced.hpp"

#include "plugins/testing.hpp"

namespace coracle::scheduler {
namespace {

using testing::a_node;
using testing::a_pod;
using testing::check_all;
using testing::ScoreCase;

// Nodes of the builders have 4 cpu and 8Gi.
TEST_CASE("NodeResourcesBalancedAllocation scores like shares higher") {
  check_all(
      NodeResourcesBalancedAllocation(),
      std::vector<ScoreCase>{
          {"requests nothing: skipped", {a_node("n")}, {}, a_pod("p"), {}},
          {"like shares", {a_node("n")}, {}, a_pod("p").cpu("1").memory("2Gi"), {100}},
          {"half and nothing", {a_node("n")}, {}, a_pod("p").cpu("2"), {75}},
          {"all and nothing", {a_node("n")}, {}, a_pod("p").cpu("4"), {50}},
          {"more than all counts as all", {a_node("n")}, {}, a_pod("p").cpu("40"), {50}},
          // |0.25 - 0.5| / 2 = 0.125.
          {"cut, not rounded", {a_node("n")}, {}, a_pod("p").cpu("1").memory("4Gi"), {87}},
          {"with what is there",
           {a_node("n"), a_node("m")},
           {a_pod("a").cpu("2").on("m")},
           a_pod("p").memory("4Gi"),
           {75, 100}},
          {"a node without cpu", {a_node("n").has("cpu", "0")}, {}, a_pod("p").cpu("1"), {100}},
      });
}

}  // namespace
}  // namespace coracle::scheduler
