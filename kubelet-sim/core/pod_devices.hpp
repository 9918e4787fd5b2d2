// Devices of a pod: whether its claims let it run, and what its containers are told of them
// (upstream: pkg/kubelet/cm/dra). Pure: the claims, as they are, are arguments.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/status.hpp"
#include "kubelet/pod_environment.hpp"

namespace coracle::kubelet {

struct PodDeviceClaim {
  std::string entry;  // in spec.resourceClaims
  std::string claim;  // the ResourceClaim; empty: none was made yet
};
std::vector<PodDeviceClaim> pod_device_claims(const json::value& pod);

// FailedPrecondition: why the pod has to wait. `claim` null: there is none of that name.
Status may_use_claim(const json::value& pod, const PodDeviceClaim& use, const json::value& claim);

// By the entry in spec.resourceClaims.
using DeviceClaims = std::map<std::string, json::value, std::less<>>;
// For each of the container's resources.claims a variable DEVICES_ENTRY, "gpu-0,gpu-1".
Environment device_environment(const json::value& container, const DeviceClaims& claims);

}  // namespace coracle::kubelet
