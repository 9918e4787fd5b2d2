#include <catch2/catch.hpp>

#include "base/yaml.hpp"
#include "namespace/namespace.hpp"

using namespace coracle;
using namespace coracle::controllers;

namespace {
const char* kDying =
    "{metadata: {name: ns, uid: u, deletionTimestamp: '2026-01-01T00:00:00Z'}, spec: {finalizers: "
    "[kubernetes]}}";
Plan reconcile(FixedWorld& world) {
  return NamespaceController().reconcile(world.view(), "ns", {});
}
}  // namespace

TEST_CASE("everything is deleted before the finalizer goes") {
  FixedWorld world;
  world.put(gvr::kNamespaces, *parse_yaml_one(kDying));
  const Plan plan = reconcile(world);
  REQUIRE(plan.writes.size() > 5);
  REQUIRE(plan.writes[0].verb == Write::Verb::kLook);
  CHECK(plan.writes[0].holds({}));
  for (size_t i = 1; i + 1 < plan.writes.size(); ++i) {
    CHECK(plan.writes[i].verb == Write::Verb::kDeleteAll);
    CHECK(plan.writes[i].ns == "ns");
  }
  CHECK(plan.writes.back().subresource == "finalize");
  CHECK(get_array(plan.writes.back().body, "spec.finalizers").empty());
}

TEST_CASE("custom kinds are emptied too, and one that is not known yet is waited for") {
  const json::value widgets = *parse_yaml_one(
      "{metadata: {name: widgets.example.com}, spec: {group: example.com, scope: Namespaced, "
      "names: {plural: widgets, kind: Widget}, versions: [{name: v1, served: true, storage: "
      "true}]}, status: {conditions: [{type: Established, status: 'True'}]}}");
  FixedWorld world;
  world.put(gvr::kNamespaces, *parse_yaml_one(kDying));
  const size_t before = reconcile(world).writes.size();
  json::array served;
  served.push_back(widgets);
  CHECK_FALSE(reconcile(world).writes[0].holds(served));
  world.put(gvr::kCustomResourceDefinitions, widgets);
  const Plan plan = reconcile(world);
  CHECK(plan.writes.size() == before + 1);
  CHECK(plan.writes[0].holds(served));
}

TEST_CASE("pods on their way out are waited for; a living namespace is left alone") {
  FixedWorld world;
  world.put(gvr::kNamespaces, *parse_yaml_one(kDying));
  world.put(gvr::kPods,
            *parse_yaml_one(
                "{metadata: {name: p, namespace: ns, deletionTimestamp: '2026-01-01T00:00:00Z'}}"));
  CHECK(reconcile(world).writes.empty());
  world.put(gvr::kPods, *parse_yaml_one("{metadata: {name: q, namespace: ns}}"));
  CHECK_FALSE(reconcile(world).writes.empty());
  world.put(gvr::kNamespaces,
            *parse_yaml_one("{metadata: {name: ns}, spec: {finalizers: [kubernetes]}}"));
  CHECK(reconcile(world).writes.empty());
}
