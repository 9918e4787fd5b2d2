// What happened in the cluster that may help pods which fitted nowhere. Value types. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "framework/snapshot.hpp"

namespace coracle::scheduler {

// What happened in the cluster, as bits.
using Events = std::uint32_t;
namespace event {
inline constexpr Events kNodeAdded = 1u << 0;
inline constexpr Events kNodeGrew = 1u << 1;    // allocatable of something is more
inline constexpr Events kNodeLabels = 1u << 2;  // labels changed
inline constexpr Events kNodeTaints = 1u << 3;  // taints or unschedulable changed
inline constexpr Events kPodPlaced = 1u << 4;   // a pod now counts on a node
inline constexpr Events kPodGone = 1u << 5;     // a placed pod left
inline constexpr Events kPodLabels = 1u << 6;   // labels of a placed pod changed
inline constexpr Events kClaim = 1u << 7;       // a claim was added or changed
inline constexpr Events kNamespace = 1u << 8;   // labels of a namespace changed
inline constexpr Events kPodLeaving = 1u << 9;  // a placed pod is being deleted; it still counts
inline constexpr Events kVolume = 1u << 10;     // a PersistentVolume was added or changed
inline constexpr Events kStorageClass = 1u << 11;
inline constexpr Events kNodeGone = 1u << 12;  // node_before is the one
inline constexpr Events kPodGroup = 1u << 13;  // a PodGroup was added or changed
inline constexpr Events kCsi = 1u << 14;  // what a CSI driver says of limits or capacity changed
inline constexpr Events kDeviceClaim = 1u << 15;   // a claim to devices changed or went
inline constexpr Events kDevices = 1u << 16;       // a slice or class of devices changed or went
inline constexpr Events kNodeFeatures = 1u << 21;  // what its kubelet says it can do changed
// The waiting pod itself was changed.
inline constexpr Events kOwnLabels = 1u << 17;
inline constexpr Events kOwnRequests = 1u << 18;
inline constexpr Events kOwnTolerations = 1u << 19;
inline constexpr Events kOwnClaims = 1u << 20;  // to devices: made for it meanwhile
inline constexpr Events kOwnAny = kOwnLabels | kOwnRequests | kOwnTolerations | kOwnClaims;
inline constexpr Events kNodeAny =
    kNodeAdded | kNodeGrew | kNodeLabels | kNodeTaints | kNodeFeatures;
}  // namespace event

// One change, with the party it is about where there is one.
struct Change {
  Events events = 0;
  const NodeInfo* node = nullptr;  // of node events
  PodPtr pod = nullptr;            // of pod events
  std::string_view claim{};        // of kClaim, kDeviceClaim: "namespace/name"
  // What it was before; null: it is new.
  std::shared_ptr<const NodeFacts> node_before = nullptr;
  PodPtr pod_before = nullptr;
  const Snapshot* world = nullptr;  // as it is now; the queue's owner fills it in
};

}  // namespace coracle::scheduler
