#include "kubelet/pod_devices.hpp"

#include <catch2/catch.hpp>

#include "base/yaml.hpp"

using namespace coracle;
using namespace coracle::kubelet;

namespace {

json::value pod() {
  return *parse_yaml_one(
      "{metadata: {name: p, uid: u}, spec: {resourceClaims: [{name: my-gpu, resourceClaimName: c}, "
      "{name: nic, resourceClaimTemplateName: t}, {name: new, resourceClaimTemplateName: t}]}, "
      "status: {resourceClaimStatuses: [{name: nic, resourceClaimName: p-nic-x}]}}");
}
json::value claim(const std::string& status) {
  return *parse_yaml_one("{metadata: {name: c, uid: cu}, status: {" + status + "}}");
}
const char* kAllocated =
    "reservedFor: [{resource: pods, name: p, uid: u}], allocation: {devices: {results: [{request: "
    "a, device: gpu-0}, {request: b/small, device: gpu-3}]}}";

std::string why(const PodDeviceClaim& use, const json::value& claim) {
  return may_use_claim(pod(), use, claim).message();
}

}  // namespace

TEST_CASE("a pod waits until its claims are allocated and reserved for it") {
  const auto claims = pod_device_claims(pod());
  REQUIRE(claims.size() == 3);
  CHECK(claims[1].claim == "p-nic-x");
  CHECK(why(claims[2], json::value()) ==
        "claim new of pod p: the ResourceClaim has not been created yet");
  CHECK(why(claims[0], json::value()) ==
        "failed to fetch ResourceClaim c referenced by pod p: resourceclaims.resource.k8s.io \"c\" "
        "not found");
  CHECK(why(claims[0], claim("reservedFor: [{resource: pods, name: q, uid: v}]")) ==
        "pod p(u) is not allowed to use resource claim c(cu)");
  CHECK(why(claims[0], claim("reservedFor: [{resource: pods, name: p, uid: u}]")) ==
        "resource claim c of pod p is not allocated");
  CHECK(may_use_claim(pod(), claims[0], claim(kAllocated)).ok());
}

TEST_CASE("containers are told the devices of their claims, or of one request") {
  DeviceClaims claims;
  claims["my-gpu"] = claim(kAllocated);
  const auto told = [&](const std::string& use) {
    return device_environment(*parse_yaml_one("{resources: {claims: [" + use + "]}}"), claims);
  };
  CHECK(told("").empty());
  CHECK(told("{name: my-gpu}") == Environment{{"DEVICES_MY_GPU", "gpu-0,gpu-3"}});
  CHECK(told("{name: my-gpu, request: b}") == Environment{{"DEVICES_MY_GPU", "gpu-3"}});
  CHECK(told("{name: my-gpu, request: b}, {name: my-gpu, request: a}") ==
        Environment{{"DEVICES_MY_GPU", "gpu-3,gpu-0"}});
}
