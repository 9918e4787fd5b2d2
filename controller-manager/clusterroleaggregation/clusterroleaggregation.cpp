#include "clusterroleaggregation/clusterroleaggregation.hpp"

#include <algorithm>
#include <map>

#include "api/object.hpp"
#include "api/selectors.hpp"
#include "controllers/pods.hpp"

namespace coracle::controllers {
namespace {

const json::array& selectors_of(const json::value& role) {
  return get_array(role, "aggregationRule.clusterRoleSelectors");
}

using Roles = std::map<std::string, ObjectPtr>;  // by name

json::array gathered(const Roles& roles, const json::value& target) {
  json::array rules;
  for (const json::value& entry : selectors_of(target)) {
    const auto selector = api::LabelSelector::from_object(&entry);
    if (!selector.ok()) continue;
    for (const auto& [name, role] : roles) {
      if (name == api::name_of(target) || !selector->matches(api::labels_of(*role))) continue;
      for (const json::value& rule : get_array(*role, "rules")) {
        if (std::find(rules.begin(), rules.end(), rule) == rules.end()) rules.push_back(rule);
      }
    }
  }
  return rules;
}

}  // namespace

void ClusterRoleAggregationController::touched(const World& world, const client::Gvr&,
                                               const json::value*, const json::value* after,
                                               const Enqueue& enqueue) const {
  for (const auto& [name, role] : world.of(gvr::kClusterRoles).objects()) {
    if (!selectors_of(*role).empty()) enqueue(name);
  }
  if (after != nullptr && !selectors_of(*after).empty()) {
    enqueue(std::string(api::name_of(*after)));
  }
}

Plan ClusterRoleAggregationController::reconcile(const World& world, const std::string& key,
                                                 Instant) const {
  Plan plan;
  const ObjectPtr role = world.get(gvr::kClusterRoles, "", key);
  if (role == nullptr || is_deleting(*role) || selectors_of(*role).empty()) return plan;
  json::array rules = gathered(world.of(gvr::kClusterRoles).objects(), *role);
  if (rules == get_array(*role, "rules")) return plan;
  json::object patch;
  patch["rules"] = std::move(rules);
  plan.patch(gvr::kClusterRoles, *role, std::move(patch), client::PatchType::kMerge);
  return plan;
}

}  // namespace coracle::controllers
