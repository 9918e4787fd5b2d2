// StatefulSet controller: pods with lasting names and claims, made, updated and taken away in
// order. Pure (upstream: pkg/controller/statefulset). identity: names and claims; steps: what to do
// next.
#pragma once

#include "controllers/controller.hpp"

namespace coracle::controllers {

class StatefulSetController final : public Controller {
 public:
  std::string_view name() const override { return "statefulset-controller"; }
  std::vector<client::Gvr> watched() const override {
    return {gvr::kStatefulSets, gvr::kControllerRevisions, gvr::kPods, gvr::kClaims};
  }
  void touched(const World& world, const client::Gvr& gvr, const json::value* before,
               const json::value* after, const Enqueue& enqueue) const override;
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;
};

}  // namespace coracle::controllers
