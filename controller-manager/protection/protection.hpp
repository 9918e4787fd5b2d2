// Storage objects in use are not taken away: a PersistentVolumeClaim that a scheduled pod names,
// and a PersistentVolume that is bound, keep a finalizer while they are. Pure (upstream:
// pkg/controller/volume/pvcprotection, pvprotection).
//
// Safety: a claim is let go only after the server's own list of pods shows nobody who uses it; a
// pod that is scheduled later does not start, for its kubelet sees a claim that is being deleted.
#pragma once

#include "controllers/controller.hpp"

namespace coracle::controllers {

class ClaimProtectionController final : public Controller {
 public:
  std::string_view name() const override { return "pvc-protection-controller"; }
  std::vector<client::Gvr> watched() const override { return {gvr::kClaims, gvr::kPods}; }
  void touched(const World& world, const client::Gvr& gvr, const json::value* before,
               const json::value* after, const Enqueue& enqueue) const override;
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;
};

class VolumeProtectionController final : public Controller {
 public:
  std::string_view name() const override { return "pv-protection-controller"; }
  std::vector<client::Gvr> watched() const override { return {gvr::kVolumes}; }
  void touched(const World& world, const client::Gvr& gvr, const json::value* before,
               const json::value* after, const Enqueue& enqueue) const override;
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;
};

}  // namespace coracle::controllers
