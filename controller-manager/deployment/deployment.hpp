// Deployment controller: rolls a Deployment's pods from one template to the next through
// ReplicaSets. Pure (upstream: pkg/controller/deployment). One file a concern: replica_sets
// (hash, revisions, history), rolling, recreate, status.
#pragma once

#include "controllers/controller.hpp"

namespace coracle::controllers {

class DeploymentController final : public Controller {
 public:
  std::string_view name() const override { return "deployment-controller"; }
  std::vector<client::Gvr> watched() const override {
    return {gvr::kDeployments, gvr::kReplicaSets, gvr::kPods};
  }
  void touched(const World& world, const client::Gvr& gvr, const json::value* before,
               const json::value* after, const Enqueue& enqueue) const override;
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;
};

}  // namespace coracle::controllers
