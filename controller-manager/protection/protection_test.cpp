#include <catch2/catch.hpp>

#include "api/object.hpp"
#include "base/yaml.hpp"
#include "protection/protection.hpp"

using namespace coracle;
using namespace coracle::controllers;

namespace {

const char* kDying = ", deletionTimestamp: '2026-01-01T00:00:00Z'";

json::value claim(const std::string& rest = "") {
  return *parse_yaml_one("{metadata: {name: c, namespace: ns, uid: u" + rest + "}}");
}

std::string finalizers_after(const Plan& plan) {
  return plan.writes.empty() ? "-" : to_json(api::finalizers_of(plan.writes.back().body));
}

}  // namespace

TEST_CASE("a claim is protected from the start, and let go when no scheduled pod names it") {
  struct Case {
    const char* name;
    const char* pod;
    bool let_go;
  };
  const auto c = GENERATE(values<Case>({
      {"nobody", nullptr, true},
      {"a running pod", "spec: {nodeName: n1, volumes: [{persistentVolumeClaim: {claimName: c}}]}",
       false},
      {"a pod that ended and is still there",
       "spec: {nodeName: n1, volumes: [{persistentVolumeClaim: {claimName: c}}]}, "
       "status: {phase: Succeeded}",
       false},
      {"a pod without a node", "spec: {volumes: [{persistentVolumeClaim: {claimName: c}}]}", true},
      {"a pod with another claim",
       "spec: {nodeName: n1, volumes: [{persistentVolumeClaim: {claimName: d}}]}", true},
  }));
  CAPTURE(c.name);
  FixedWorld world;
  const ClaimProtectionController controller;
  world.put(gvr::kClaims, claim());
  CHECK(finalizers_after(controller.reconcile(world.view(), "ns/c", {})) ==
        R"(["kubernetes.io/pvc-protection"])");

  world.put(gvr::kClaims,
            claim(std::string(kDying) + ", finalizers: [other, kubernetes.io/pvc-protection]"));
  if (c.pod != nullptr) {
    world.put(gvr::kPods,
              *parse_yaml_one(std::string("{metadata: {name: p, namespace: ns}, ") + c.pod + "}"));
  }
  const Plan plan = controller.reconcile(world.view(), "ns/c", {});
  CHECK(finalizers_after(plan) == (c.let_go ? R"(["other"])" : "-"));
  if (!c.let_go) return;
  // The server is asked first, for the cache may not show a pod yet.
  REQUIRE(plan.writes.size() == 2);
  REQUIRE(plan.writes[0].verb == Write::Verb::kLook);
  CHECK(plan.writes[0].holds({}));
  json::array shown;
  shown.push_back(
      *parse_yaml_one("{metadata: {name: p, namespace: ns}, spec: {nodeName: n1, volumes: "
                      "[{persistentVolumeClaim: {claimName: c}}]}}"));
  CHECK_FALSE(plan.writes[0].holds(shown));
}

TEST_CASE("a claim made for a pod goes when the pod has stopped") {
  FixedWorld world;
  world.put(gvr::kClaims, *parse_yaml_one("{metadata: {name: p-v, namespace: ns, finalizers: "
                                          "[kubernetes.io/pvc-protection]" +
                                          std::string(kDying) + "}}"));
  const auto pod = [&](const std::string& more) {
    world.put(gvr::kPods,
              *parse_yaml_one("{metadata: {name: p, namespace: ns" + more +
                              "}, spec: {nodeName: n1, volumes: [{name: v, ephemeral: {}}]}}"));
  };
  pod("");
  CHECK(ClaimProtectionController().reconcile(world.view(), "ns/p-v", {}).writes.empty());
  pod(std::string(kDying) + ", deletionGracePeriodSeconds: 0");
  CHECK(ClaimProtectionController().reconcile(world.view(), "ns/p-v", {}).writes.size() == 2);
}

TEST_CASE("a bound volume stays") {
  FixedWorld world;
  const VolumeProtectionController controller;
  const auto volume = [&](const std::string& meta, const std::string& phase) {
    world.put(gvr::kVolumes,
              *parse_yaml_one("{metadata: {name: v" + meta + "}, status: {phase: " + phase + "}}"));
  };
  volume("", "Available");
  CHECK(finalizers_after(controller.reconcile(world.view(), "v", {})) ==
        R"(["kubernetes.io/pv-protection"])");
  const std::string dying = std::string(kDying) + ", finalizers: [kubernetes.io/pv-protection]";
  volume(dying, "Bound");
  CHECK(controller.reconcile(world.view(), "v", {}).writes.empty());
  volume(dying, "Released");
  CHECK(finalizers_after(controller.reconcile(world.view(), "v", {})) == "[]");
}

TEST_CASE("the end of a pod wakes the claims that wait for it") {
  FixedWorld world;
  world.put(gvr::kClaims, claim(kDying));
  const json::value pod = *parse_yaml_one(
      "{metadata: {name: p, namespace: ns}, spec: {nodeName: n1, volumes: [{persistentVolumeClaim: "
      "{claimName: c}}, {persistentVolumeClaim: {claimName: d}}]}}");
  std::vector<std::string> keys;
  ClaimProtectionController().touched(world.view(), gvr::kPods, &pod, nullptr,
                                      [&](const std::string& key) { keys.push_back(key); });
  CHECK(keys == std::vector<std::string>{"ns/c"});
}
