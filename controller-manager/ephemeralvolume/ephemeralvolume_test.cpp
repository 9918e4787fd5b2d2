#include "ephemeralvolume/ephemeralvolume.hpp"

#include <catch2/catch.hpp>

#include "api/object.hpp"
#include "base/yaml.hpp"

using namespace coracle;
using namespace coracle::controllers;

namespace {

json::value pod(const std::string& meta = "", const std::string& status = "phase: Pending") {
  return *parse_yaml_one(
      "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: ns, uid: u" + meta +
      "}, spec: {volumes: [{name: plain, emptyDir: {}}, {name: scratch, ephemeral: "
      "{volumeClaimTemplate: {metadata: {labels: {a: b}}, spec: {accessModes: [ReadWriteOnce], "
      "resources: {requests: {storage: 1Gi}}}}}}]}, status: {" +
      status + "}}");
}

Plan plan_of(FixedWorld& world) {
  return EphemeralVolumeController().reconcile(world.view(), "ns/p", {});
}

}  // namespace

TEST_CASE("a pod gets the claims of its ephemeral volumes, as their owner") {
  FixedWorld world;
  world.put(gvr::kPods, pod());
  Plan plan = plan_of(world);
  REQUIRE(plan.writes.size() == 1);
  const json::value& claim = plan.writes[0].body;
  CHECK(api::name_of(claim) == "p-scratch");
  CHECK(api::is_owned_by(claim, "u"));
  CHECK(api::label_of(claim, "a") == "b");
  CHECK(get_string(claim, "spec.resources.requests.storage") == "1Gi");
  world.put(gvr::kClaims, claim);
  CHECK(plan_of(world).writes.empty());

  std::vector<std::string> keys;
  EphemeralVolumeController().touched(world.view(), gvr::kClaims, &claim, nullptr,
                                      [&](const std::string& key) { keys.push_back(key); });
  CHECK(keys == std::vector<std::string>{"ns/p"});
}

TEST_CASE("another's claim of that name is not taken, and the pod is told") {
  FixedWorld world;
  world.put(gvr::kPods, pod());
  world.put(gvr::kClaims, *parse_yaml_one("{metadata: {name: p-scratch, namespace: ns}}"));
  const Plan plan = plan_of(world);
  CHECK(plan.writes.empty());
  REQUIRE(plan.events.size() == 1);
  CHECK(plan.events[0].message ==
        "PVC ns/p-scratch was not created for pod ns/p (pod is not "
        "owner)");
}

TEST_CASE("a pod that ends gets none") {
  FixedWorld world;
  world.put(gvr::kPods, pod("", "phase: Succeeded"));
  CHECK(plan_of(world).writes.empty());
  world.put(gvr::kPods, pod(", deletionTimestamp: '2026-01-01T00:00:00Z'"));
  CHECK(plan_of(world).writes.empty());
}
