#include <catch2/catch.hpp>

#include "base/yaml.hpp"
#include "serviceaccount/serviceaccount.hpp"

using namespace coracle;
using namespace coracle::controllers;

namespace {
Plan reconcile(FixedWorld& world) {
  return ServiceAccountController("PEM").reconcile(world.view(), "ns", {});
}
}  // namespace

TEST_CASE("a new namespace gets both, a changed bundle is mended, a dying one gets nothing") {
  FixedWorld world;
  world.put(gvr::kNamespaces, *parse_yaml_one("{metadata: {name: ns}}"));
  Plan plan = reconcile(world);
  REQUIRE(plan.writes.size() == 2);
  CHECK(plan.writes[0].name == "default");
  CHECK(to_json(*find(plan.writes[1].body, "data")) == R"({"ca.crt":"PEM"})");
  world.put(gvr::kServiceAccounts, plan.writes[0].body);
  world.put(gvr::kConfigMaps, plan.writes[1].body);
  CHECK(reconcile(world).writes.empty());
  world.put(
      gvr::kConfigMaps,
      *parse_yaml_one("{metadata: {name: kube-root-ca.crt, namespace: ns}, data: {ca.crt: old}}"));
  plan = reconcile(world);
  REQUIRE(plan.writes.size() == 1);
  CHECK(plan.writes[0].verb == Write::Verb::kUpdate);
  world.put(gvr::kNamespaces,
            *parse_yaml_one("{metadata: {name: ns, deletionTimestamp: '2026-01-01T00:00:00Z'}}"));
  CHECK(reconcile(world).writes.empty());
}
