#include "resourcequota/resourcequota.hpp"

#include <algorithm>

#include "api/catalog.hpp"
#include "api/object.hpp"
#include "api/quota.hpp"
#include "controllers/custom_kinds.hpp"
#include "controllers/pods.hpp"

namespace coracle::controllers {
namespace {

using api::quota::Usage;
constexpr Duration kResync = std::chrono::minutes(5);  // upstream's

// Kinds that a quota can name by another key than count/PLURAL.GROUP.
bool has_own_keys(const client::Gvr& gvr) {
  if (!gvr.group.empty()) return false;
  for (const std::string_view plural : {"pods", "services", "persistentvolumeclaims", "configmaps",
                                        "secrets", "replicationcontrollers", "resourcequotas"}) {
    if (gvr.plural == plural) return true;
  }
  return false;
}

bool is_counted(const json::value& quota, const client::Gvr& gvr) {
  if (has_own_keys(gvr)) return true;
  std::string key = "count/" + gvr.plural;
  if (!gvr.group.empty()) key += "." + gvr.group;
  const json::object& hard = get_object(quota, "spec.hard");
  if (hard.contains(key)) return true;
  const bool claims = gvr.group == "resource.k8s.io" && gvr.plural == "resourceclaims";
  return claims && std::ranges::any_of(hard, [](const auto& entry) {
           return std::string_view(entry.key()).ends_with(api::quota::kDevicesOfClass);
         });
}

Usage count(const World& world, const std::vector<client::Gvr>& kinds, const json::value& quota) {
  Usage used;
  const std::string ns(api::namespace_of(quota));
  for (const client::Gvr& gvr : kinds) {
    if (!is_counted(quota, gvr)) continue;
    const bool pods = gvr == gvr::kPods;
    for (const ObjectPtr& object : world.in_namespace(gvr, ns)) {
      if (!api::quota::matches(quota, pods, *object)) continue;
      for (const auto& [name, amount] : api::quota::usage_of(gvr.group, gvr.plural, *object)) {
        used[name].add(amount);
      }
    }
  }
  return used;
}

}  // namespace

ResourceQuotaController::ResourceQuotaController() {
  watched_.push_back(gvr::kResourceQuotas);
  for (const api::ResourceInfo& r : api::Catalog::builtin().resources()) {
    const bool countable = r.namespaced && r.storage && r.has_verb("list") && r.has_verb("watch") &&
                           r.has_verb("create");
    if (!countable || r.kind == "Event" || r.kind == "ResourceQuota") continue;
    watched_.push_back({r.group, r.version, r.plural, true});
  }
}

void ResourceQuotaController::touched(const World& world, const client::Gvr& gvr,
                                      const json::value* before, const json::value* after,
                                      const Enqueue& enqueue) const {
  const json::value& object = after != nullptr ? *after : *before;
  if (gvr == gvr::kResourceQuotas && after != nullptr) enqueue(client::object_key(object));
  // A change of what is there counts nothing for most kinds.
  if (before != nullptr && after != nullptr && !has_own_keys(gvr)) return;
  for (const ObjectPtr& quota :
       world.in_namespace(gvr::kResourceQuotas, std::string(api::namespace_of(object)))) {
    if (is_counted(*quota, gvr)) enqueue(client::object_key(*quota));
  }
}

Plan ResourceQuotaController::reconcile(const World& world, const std::string& key, Instant) const {
  Plan plan;
  const auto [ns, name] = split_key(key);
  const ObjectPtr quota = world.get(gvr::kResourceQuotas, ns, name);
  if (quota == nullptr) return plan;
  plan.about = quota;
  plan.look_again(kResync);
  std::vector<client::Gvr> kinds = watched_;
  for (const CustomKind& custom : custom_kinds(world)) {
    if (custom.gvr.namespaced) kinds.push_back(custom.gvr);
  }
  const Usage counted = count(world, kinds, *quota);
  const json::object& hard = get_object(*quota, "spec.hard");
  json::object used;
  for (const auto& [what, limit] : hard) {
    const auto found = counted.find(std::string_view(what));
    used[what] = found == counted.end() ? std::string("0") : found->second.text();
  }
  if (get_object(*quota, "status.hard") == hard && get_object(*quota, "status.used") == used) {
    return plan;
  }
  json::value changed = *quota;
  json::object& status = make_object(changed, "status");
  status["hard"] = hard;
  status["used"] = std::move(used);
  plan.update_status(gvr::kResourceQuotas, std::move(changed));
  return plan;
}

}  // namespace coracle::controllers
