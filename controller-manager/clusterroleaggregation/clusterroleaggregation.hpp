// Cluster role aggregation: the rules of a ClusterRole with an aggregationRule are those of all
// cluster roles its selectors choose, by name, each rule once. Pure (upstream:
// pkg/controller/clusterroleaggregation).
#pragma once

#include "controllers/controller.hpp"

namespace coracle::controllers {

class ClusterRoleAggregationController final : public Controller {
 public:
  std::string_view name() const override { return "clusterrole-aggregation-controller"; }
  std::vector<client::Gvr> watched() const override { return {gvr::kClusterRoles}; }
  void touched(const World& world, const client::Gvr& gvr, const json::value* before,
               const json::value* after, const Enqueue& enqueue) const override;
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;
};

}  // namespace coracle::controllers
