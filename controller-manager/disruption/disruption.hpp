// Disruption controller: keeps the status of PodDisruptionBudgets, which the eviction API obeys.
// Pure (upstream: pkg/controller/disruption).
#pragma once

#include "controllers/controller.hpp"

namespace coracle::controllers {

class DisruptionController final : public Controller {
 public:
  std::string_view name() const override { return "disruption-controller"; }
  std::vector<client::Gvr> watched() const override {
    return {gvr::kPodDisruptionBudgets, gvr::kPods, gvr::kReplicaSets, gvr::kDeployments,
            gvr::kStatefulSets};
  }
  void touched(const World& world, const client::Gvr& gvr, const json::value* before,
               const json::value* after, const Enqueue& enqueue) const override;
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;
};

}  // namespace coracle::controllers
