#include "ttl/ttl.hpp"

#include <catch2/catch.hpp>

#include "base/yaml.hpp"

using namespace coracle;
using namespace coracle::controllers;

TEST_CASE("larger clusters keep longer, and do not flicker at a bound") {
  struct Case {
    std::size_t nodes;
    std::int64_t current, wanted;
  };
  auto c = GENERATE(values<Case>({{3, -1, 0},
                                  {100, 0, 0},
                                  {101, 0, 15},
                                  {95, 15, 15},
                                  {89, 15, 0},
                                  {5000, -1, 300},
                                  {1900, 300, 300},
                                  {1900, -1, 60}}));
  CAPTURE(c.nodes, c.current);
  CHECK(ttl_seconds(c.nodes, c.current) == c.wanted);
}

TEST_CASE("a node is annotated once") {
  FixedWorld world;
  world.put(gvr::kNodes, *parse_yaml_one("{metadata: {name: n1}}"));
  const Plan plan = TtlController().reconcile(world.view(), "n1", {});
  REQUIRE(plan.writes.size() == 1);
  CHECK(to_json(plan.writes[0].body) ==
        R"({"metadata":{"annotations":{"node.alpha.kubernetes.io/ttl":"0"}}})");
  world.put(
      gvr::kNodes,
      *parse_yaml_one("{metadata: {name: n1, annotations: {node.alpha.kubernetes.io/ttl: '0'}}}"));
  CHECK(TtlController().reconcile(world.view(), "n1", {}).writes.empty());
}
