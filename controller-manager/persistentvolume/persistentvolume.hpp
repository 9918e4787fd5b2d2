// PersistentVolume controller: finds volumes for claims and binds both, asks provisioners for what
// is not there, and reclaims what has lost its claim. Pure (upstream:
// pkg/controller/volume/persistentvolume).
//
// A binding is two references, written in this order, each a step of its own that may be found half
// done and is completed: the volume's claimRef (this reserves it: the write names the version that
// was seen, so that of two claims one wins), then the claim's volumeName with the annotation that
// says so. The phases follow from what is there.
//
// Safety: a volume is called released only after the server itself says that its claim is gone.
#pragma once

#include "controllers/controller.hpp"

namespace coracle::controllers {

class PersistentVolumeController final : public Controller {
 public:
  std::string_view name() const override { return "persistentvolume-controller"; }
  std::vector<client::Gvr> watched() const override {
    return {gvr::kClaims, gvr::kVolumes, gvr::kStorageClasses, gvr::kPods};
  }
  // Keys: "claim|NAMESPACE/NAME" and "volume|NAME".
  void touched(const World& world, const client::Gvr& gvr, const json::value* before,
               const json::value* after, const Enqueue& enqueue) const override;
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;
};

}  // namespace coracle::controllers
