#include "clusterroleaggregation/clusterroleaggregation.hpp"

#include <catch2/catch.hpp>

#include "base/yaml.hpp"

using namespace coracle;
using namespace coracle::controllers;

namespace {

void put(FixedWorld& world, const std::string& yaml) {
  world.put(gvr::kClusterRoles, *parse_yaml_one(yaml));
}

constexpr const char* kTarget =
    "{metadata: {name: all}, aggregationRule: {clusterRoleSelectors: [{matchLabels: {to: all}}]}}";

}  // namespace

TEST_CASE("an aggregated role gets the rules of those chosen, each once, by name") {
  FixedWorld world;
  put(world, kTarget);
  put(world, "{metadata: {name: b, labels: {to: all}}, rules: [{verbs: [get]}, {verbs: [list]}]}");
  put(world, "{metadata: {name: a, labels: {to: all}}, rules: [{verbs: [list]}]}");
  put(world, "{metadata: {name: c, labels: {to: other}}, rules: [{verbs: [watch]}]}");
  const ClusterRoleAggregationController controller;
  const Plan plan = controller.reconcile(world.view(), "all", {});
  REQUIRE(plan.writes.size() == 1);
  CHECK(plan.writes[0].verb == Write::Verb::kPatch);
  CHECK(plan.writes[0].name == "all");
  CHECK(to_json(plan.writes[0].body) == R"({"rules":[{"verbs":["list"]},{"verbs":["get"]}]})");
  CHECK(controller.reconcile(world.view(), "a", {}).writes.empty());
}

TEST_CASE("a role that is as it should be is left alone; a chosen one gone, its rules go") {
  FixedWorld world;
  json::value target = *parse_yaml_one(kTarget);
  target.get_object()["rules"] = *parse_yaml_one("[{verbs: [get]}]");
  world.put(gvr::kClusterRoles, target);
  const ClusterRoleAggregationController controller;
  CHECK(to_json(controller.reconcile(world.view(), "all", {}).writes.at(0).body) ==
        R"({"rules":[]})");
  put(world, "{metadata: {name: a, labels: {to: all}}, rules: [{verbs: [get]}]}");
  CHECK(controller.reconcile(world.view(), "all", {}).writes.empty());
}

TEST_CASE("a change of any role makes all aggregated ones be looked at") {
  FixedWorld world;
  put(world, kTarget);
  put(world, "{metadata: {name: plain}}");
  const json::value changed = *parse_yaml_one("{metadata: {name: plain}}");
  std::vector<std::string> keys;
  ClusterRoleAggregationController().touched(world.view(), gvr::kClusterRoles, nullptr, &changed,
                                             [&](const std::string& key) { keys.push_back(key); });
  CHECK(keys == std::vector<std::string>{"all"});
}
