// DaemonSet controller: one pod of a template on every node that fits. Pure (upstream:
// pkg/controller/daemon). placement: which nodes, what pods; rollout: what to change.
// Bound: kBurst pods are created and kBurst deleted in one plan.
#pragma once

#include "controllers/controller.hpp"

namespace coracle::controllers {

class DaemonSetController final : public Controller {
 public:
  static constexpr size_t kBurst = 250;

  std::string_view name() const override { return "daemonset-controller"; }
  std::vector<client::Gvr> watched() const override {
    return {gvr::kDaemonSets, gvr::kControllerRevisions, gvr::kPods, gvr::kNodes};
  }
  void touched(const World& world, const client::Gvr& gvr, const json::value* before,
               const json::value* after, const Enqueue& enqueue) const override;
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;
};

}  // namespace coracle::controllers
