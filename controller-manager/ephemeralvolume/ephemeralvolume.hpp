// Ephemeral volumes: a pod's volume of kind `ephemeral` is a claim that is made for the pod and
// goes with it. Pure (upstream: pkg/controller/volume/ephemeral).
#pragma once

#include "controllers/controller.hpp"

namespace coracle::controllers {

class EphemeralVolumeController final : public Controller {
 public:
  std::string_view name() const override { return "ephemeral-volume-controller"; }
  std::vector<client::Gvr> watched() const override { return {gvr::kPods, gvr::kClaims}; }
  void touched(const World& world, const client::Gvr& gvr, const json::value* before,
               const json::value* after, const Enqueue& enqueue) const override;
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;
};

}  // namespace coracle::controllers
