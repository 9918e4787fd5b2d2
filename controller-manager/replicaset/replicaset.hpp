// ReplicaSet controller: keeps spec.replicas pods of a template. Pure (upstream:
// pkg/controller/replicaset). Bound: kBurst pods are created or deleted in one plan.
#pragma once

#include "controllers/controller.hpp"

namespace coracle::controllers {

class ReplicaSetController final : public Controller {
 public:
  static constexpr std::int64_t kBurst = 500;

  std::string_view name() const override { return "replicaset-controller"; }
  std::vector<client::Gvr> watched() const override { return {gvr::kReplicaSets, gvr::kPods}; }
  void touched(const World& world, const client::Gvr& gvr, const json::value* before,
               const json::value* after, const Enqueue& enqueue) const override;
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;
};

}  // namespace coracle::controllers
