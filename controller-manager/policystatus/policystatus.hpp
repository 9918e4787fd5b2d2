// Policy status: what of a ValidatingAdmissionPolicy's expressions does not fit the types of the
// objects it looks at goes into its status, once for each generation. Pure (upstream:
// pkg/controller/validatingadmissionpolicystatus).
#pragma once

#include "controllers/controller.hpp"

namespace coracle::controllers {

class PolicyStatusController final : public Controller {
 public:
  std::string_view name() const override { return "validatingadmissionpolicy-status-controller"; }
  std::vector<client::Gvr> watched() const override {
    return {gvr::kAdmissionPolicies, gvr::kCustomResourceDefinitions};
  }
  void touched(const World& world, const client::Gvr& gvr, const json::value* before,
               const json::value* after, const Enqueue& enqueue) const override;
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;
};

}  // namespace coracle::controllers
