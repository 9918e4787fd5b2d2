// Claims to devices (resource.k8s.io), as upstream's pkg/controller/resourceclaim keeps them, in
// two loops. Pure.
//
// PodResourceClaimController (key: a pod) makes a claim from each template the pod names, says so
// in the pod's status.resourceClaimStatuses, and reserves allocated claims for pods that reached
// their node without the scheduler. ResourceClaimController (key: a claim) drops reservations of
// pods that are done; a claim that the last one left is not allocated any more and loses its
// finalizer; one that was made for a pod goes with it.
#pragma once

#include "controllers/controller.hpp"

namespace coracle::controllers {

namespace gvr {
inline const client::Gvr kResourceClaims{"resource.k8s.io", "v1", "resourceclaims", true};
inline const client::Gvr kResourceClaimTemplates{"resource.k8s.io", "v1", "resourceclaimtemplates",
                                                 true};
}  // namespace gvr

class PodResourceClaimController final : public Controller {
 public:
  std::string_view name() const override { return "pod-resource-claim-controller"; }
  std::vector<client::Gvr> watched() const override {
    return {gvr::kPods, gvr::kResourceClaims, gvr::kResourceClaimTemplates};
  }
  void touched(const World& world, const client::Gvr& gvr, const json::value* before,
               const json::value* after, const Enqueue& enqueue) const override;
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;
};

class ResourceClaimController final : public Controller {
 public:
  std::string_view name() const override { return "resource-claim-controller"; }
  std::vector<client::Gvr> watched() const override { return {gvr::kPods, gvr::kResourceClaims}; }
  void touched(const World& world, const client::Gvr& gvr, const json::value* before,
               const json::value* after, const Enqueue& enqueue) const override;
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;
};

}  // namespace coracle::controllers
