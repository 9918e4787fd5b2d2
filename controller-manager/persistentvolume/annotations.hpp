// The annotations by which binder, scheduler and provisioners talk about volumes.
#pragma once

namespace coracle::controllers::storage {

// Of a claim: its binding is complete.
inline constexpr char kBindCompleted[] = "pv.kubernetes.io/bind-completed";
// Of a claim or a volume: the reference to the other was the controller's choice, not a user's.
inline constexpr char kBoundByController[] = "pv.kubernetes.io/bound-by-controller";
// Of a volume: who made it, and who therefore deletes it.
inline constexpr char kProvisionedBy[] = "pv.kubernetes.io/provisioned-by";
// Of a claim: who is asked to make a volume for it.
inline constexpr char kProvisioner[] = "volume.kubernetes.io/storage-provisioner";
inline constexpr char kOldProvisioner[] = "volume.beta.kubernetes.io/storage-provisioner";
// Of a claim that waits for its first consumer: the node the scheduler has chosen.
inline constexpr char kSelectedNode[] = "volume.kubernetes.io/selected-node";

}  // namespace coracle::controllers::storage
