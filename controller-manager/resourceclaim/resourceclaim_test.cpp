#include "resourceclaim/resourceclaim.hpp"

#include <catch2/catch.hpp>

#include "api/object.hpp"
#include "base/yaml.hpp"

using namespace coracle;
using namespace coracle::controllers;
using Verb = Write::Verb;

namespace {

json::value pod(const std::string& spec, const std::string& status = "phase: Pending") {
  return *parse_yaml_one(
      "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: ns, uid: u}, "
      "spec: {" +
      spec + "}, status: {" + status + "}}");
}
const char* kTemplated = "resourceClaims: [{name: gpu, resourceClaimTemplateName: t}]";
const char* kNamed = "resourceClaims: [{name: gpu, resourceClaimName: c}]";

json::value claim_template() {
  return *parse_yaml_one(
      "{metadata: {name: t, namespace: ns}, spec: {metadata: {labels: {a: b}}, "
      "spec: {devices: {requests: [{name: r, exactly: {deviceClassName: x}}]}}}}");
}

json::value claim(const std::string& meta, const std::string& status = "") {
  return *parse_yaml_one(
      "{apiVersion: resource.k8s.io/v1, kind: ResourceClaim, metadata: {name: c, "
      "namespace: ns, uid: cu" +
      meta + "}, status: {" + status + "}}");
}
const char* kOwned =
    ", annotations: {resource.kubernetes.io/pod-claim-name: gpu}, ownerReferences: [{apiVersion: "
    "v1, kind: Pod, name: p, uid: u, controller: true}]";
const char* kProtected = ", finalizers: [resource.kubernetes.io/delete-protection, other]";
const std::string kAllocated = "allocation: {devices: {results: []}}";
const std::string kReserved = kAllocated + ", reservedFor: [{resource: pods, name: p, uid: u}]";

Plan of_pod(FixedWorld& world) {
  return PodResourceClaimController().reconcile(world.view(), "ns/p", {});
}
Plan of_claim(FixedWorld& world) {
  return ResourceClaimController().reconcile(world.view(), "ns/c", {});
}

}  // namespace

TEST_CASE("a template's claim is made for the pod, then named in its status") {
  FixedWorld world;
  world.put(gvr::kPods, pod(kTemplated));
  Plan plan = of_pod(world);
  CHECK(plan.writes.empty());
  REQUIRE(plan.events.size() == 1);
  CHECK(plan.events[0].reason == "FailedResourceClaimCreation");
  CHECK(plan.events[0].message ==
        "PodResourceClaim gpu: resource claim template \"t\": "
        "resourceclaimtemplate.resource.k8s.io \"t\" not found");

  world.put(gvr::kResourceClaimTemplates, claim_template());
  plan = of_pod(world);
  REQUIRE(plan.writes.size() == 1);
  const json::value& made = plan.writes[0].body;
  CHECK(plan.writes[0].verb == Verb::kCreate);
  CHECK(api::generate_name_of(made) == "p-gpu-");
  CHECK(api::is_owned_by(made, "u"));
  CHECK(api::label_of(made, "a") == "b");
  CHECK(api::annotation_of(made, "resource.kubernetes.io/pod-claim-name") == "gpu");
  CHECK(to_json(*find(made, "spec")) ==
        R"({"devices":{"requests":[{"name":"r","exactly":{"deviceClassName":"x"}}]}})");

  world.put(gvr::kResourceClaims, claim(kOwned));
  plan = of_pod(world);
  REQUIRE(plan.writes.size() == 1);
  CHECK(plan.writes[0].verb == Verb::kPatch);
  CHECK(plan.writes[0].subresource == "status");
  CHECK(to_json(*find(plan.writes[0].body, "status")) ==
        R"({"resourceClaimStatuses":[{"name":"gpu","resourceClaimName":"c"}]})");

  world.put(gvr::kPods,
            pod(kTemplated, "resourceClaimStatuses: [{name: gpu, resourceClaimName: c}]"));
  CHECK(of_pod(world).writes.empty());
}

TEST_CASE("names that would be too long are cut in proportion") {
  FixedWorld world;
  json::value long_pod = pod(kTemplated);
  set_path(long_pod, "metadata.name", json::value(std::string(60, 'x')));
  world.put(gvr::kPods, long_pod);
  world.put(gvr::kResourceClaimTemplates, claim_template());
  const Plan plan =
      PodResourceClaimController().reconcile(world.view(), "ns/" + std::string(60, 'x'), {});
  REQUIRE(plan.writes.size() == 1);
  CHECK(api::generate_name_of(plan.writes[0].body) == std::string(52, 'x') + "-gp");
}

TEST_CASE("a pod that has its node reserves what is allocated") {
  FixedWorld world;
  world.put(gvr::kResourceClaims, claim("", kAllocated));
  world.put(gvr::kPods, pod(kNamed));
  CHECK(of_pod(world).writes.empty());
  world.put(gvr::kPods, pod(std::string(kNamed) + ", nodeName: node-1"));
  const Plan plan = of_pod(world);
  REQUIRE(plan.writes.size() == 1);
  CHECK(to_json(*find(plan.writes[0].body, "status")) ==
        R"({"reservedFor":[{"resource":"pods","name":"p","uid":"u"}]})");
  world.put(gvr::kResourceClaims, claim("", kReserved));
  CHECK(of_pod(world).writes.empty());
}

TEST_CASE("the last reservation takes the allocation and the finalizer with it") {
  FixedWorld world;
  world.put(gvr::kResourceClaims, claim(kProtected, kReserved));
  world.put(gvr::kPods, pod(std::string(kNamed) + ", nodeName: node-1", "phase: Running"));
  CHECK(of_claim(world).writes.empty());

  world.put(gvr::kPods, pod(std::string(kNamed) + ", nodeName: node-1", "phase: Succeeded"));
  const Plan plan = of_claim(world);
  REQUIRE(plan.writes.size() == 2);
  CHECK(plan.writes[0].verb == Verb::kUpdateStatus);
  CHECK(to_json(*find(plan.writes[0].body, "status")) == "{}");
  CHECK(plan.writes[1].verb == Verb::kPatch);
  CHECK(to_json(plan.writes[1].body) == R"({"metadata":{"finalizers":["other"]}})");
}

TEST_CASE("a claim whose pod is not seen asks the server first") {
  FixedWorld world;
  world.put(gvr::kResourceClaims, claim(kProtected, kReserved));
  const Plan plan = of_claim(world);
  REQUIRE(plan.writes.size() == 3);
  REQUIRE(plan.writes[0].verb == Verb::kLook);
  CHECK(plan.writes[0].holds(json::array()));
  json::array there;
  there.push_back(pod(kNamed));
  CHECK_FALSE(plan.writes[0].holds(there));
}

TEST_CASE("what is not in use yet is let be") {
  FixedWorld world;
  // The scheduler writes the finalizer before the allocation.
  world.put(gvr::kResourceClaims, claim(kProtected));
  CHECK(of_claim(world).writes.empty());
  world.put(gvr::kResourceClaims, claim(kProtected, kAllocated));
  CHECK(of_claim(world).writes.empty());
  world.put(
      gvr::kResourceClaims,
      claim(std::string(kProtected) + ", deletionTimestamp: '2026-01-01T00:00:00Z'", kAllocated));
  CHECK(of_claim(world).writes.size() == 2);
}

TEST_CASE("a claim that was made for a pod goes with it") {
  FixedWorld world;
  world.put(gvr::kResourceClaims, claim(kOwned));
  world.put(gvr::kPods, pod(kTemplated));
  CHECK(of_claim(world).writes.empty());
  world.put(gvr::kPods, pod(kTemplated, "phase: Failed"));
  const Plan plan = of_claim(world);
  REQUIRE(plan.writes.size() == 1);
  CHECK(plan.writes[0].verb == Verb::kDelete);

  std::vector<std::string> keys;
  const json::value gone =
      pod(kTemplated, "resourceClaimStatuses: [{name: gpu, resourceClaimName: c}]");
  ResourceClaimController().touched(world.view(), gvr::kPods, &gone, nullptr,
                                    [&](const std::string& key) { keys.push_back(key); });
  CHECK(keys == std::vector<std::string>{"ns/c"});
}
