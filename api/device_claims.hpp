// device_claims: what a pod and its ResourceClaims (resource.k8s.io) say of each other, as the
// scheduler, the controllers, the kubelet and clients read it. Pure.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/json.hpp"

namespace coracle::api {

// Keeps a claim with devices while somebody may use them.
inline constexpr char kDeviceClaimFinalizer[] = "resource.kubernetes.io/delete-protection";
inline constexpr std::size_t kReservedForMax = 256;  // status.reservedFor, as upstream

// The ResourceClaim behind an entry of the pod's spec.resourceClaims: the one it names, or the one
// that was made from its template. Empty: none was made yet. Points into the pod.
std::string_view device_claim_of(const json::value& pod, const json::value& entry);

// Whether the pod with this uid is among those the claim's status.reservedFor names.
bool is_reserved_for_pod(const json::value& claim, std::string_view uid);
// An entry of it.
json::object pod_reservation(std::string_view name, std::string_view uid);

}  // namespace coracle::api
