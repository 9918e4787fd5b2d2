#include "protection/protection.hpp"

#include <algorithm>

#include "api/object.hpp"
#include "controllers/pods.hpp"

namespace coracle::controllers {
namespace {

constexpr char kClaimFinalizer[] = "kubernetes.io/pvc-protection";
constexpr char kVolumeFinalizer[] = "kubernetes.io/pv-protection";

// Deleted, and its containers have stopped: only the object is left.
bool is_shut_down(const json::value& pod) {
  return is_deleting(pod) && get_int(pod, "metadata.deletionGracePeriodSeconds", -1) == 0;
}

// The claims a pod names, those that are made for it included.
void each_claim_of(const json::value& pod, const std::function<void(std::string name)>& tell) {
  for (const json::value& volume : get_array(pod, "spec.volumes")) {
    const auto claim = get_string(volume, "persistentVolumeClaim.claimName");
    if (!claim.empty()) tell(std::string(claim));
    if (find(volume, "ephemeral") != nullptr && !is_shut_down(pod)) {
      tell(std::string(api::name_of(pod)) + "-" + std::string(get_string(volume, "name")));
    }
  }
}

// One that is not scheduled yet does not count: it will find the claim gone.
bool uses(const json::value& pod, std::string_view claim) {
  if (get_string(pod, "spec.nodeName").empty()) return false;
  bool found = false;
  each_claim_of(pod, [&](const std::string& name) { found = found || name == claim; });
  return found;
}

// Adds or takes the finalizer, of the version that was seen.
void set_finalizer(Plan* plan, const client::Gvr& gvr, const json::value& object,
                   const char* finalizer, bool wanted) {
  json::value changed = object;
  if (!(wanted ? api::add_finalizer(changed, finalizer)
               : api::remove_finalizer(changed, finalizer))) {
    return;
  }
  plan->update(gvr, std::move(changed));
}

}  // namespace

void ClaimProtectionController::touched(const World& world, const client::Gvr& gvr,
                                        const json::value* before, const json::value* after,
                                        const Enqueue& enqueue) const {
  const json::value& object = after != nullptr ? *after : *before;
  if (gvr == gvr::kClaims) {
    if (after != nullptr) enqueue(client::object_key(object));
    return;
  }
  // Only a pod that goes, or ends, can let a claim go.
  if (after != nullptr && is_active(*after)) return;
  const std::string ns(api::namespace_of(object));
  each_claim_of(before != nullptr ? *before : object, [&](const std::string& name) {
    const ObjectPtr claim = world.get(gvr::kClaims, ns, name);
    if (claim != nullptr && is_deleting(*claim)) enqueue(client::object_key(*claim));
  });
}

Plan ClaimProtectionController::reconcile(const World& world, const std::string& key,
                                          Instant) const {
  Plan plan;
  const auto [ns, name] = split_key(key);
  const ObjectPtr claim = world.get(gvr::kClaims, ns, name);
  if (claim == nullptr) return plan;
  plan.about = claim;
  if (!is_deleting(*claim)) {
    set_finalizer(&plan, gvr::kClaims, *claim, kClaimFinalizer, true);
    return plan;
  }
  if (!api::has_finalizer(*claim, kClaimFinalizer)) return plan;
  const auto in_use = [name = name](const json::value& pod) { return uses(pod, name); };
  for (const ObjectPtr& pod : world.in_namespace(gvr::kPods, ns)) {
    if (in_use(*pod)) return plan;  // its end comes as an event
  }
  plan.only_if(gvr::kPods, ns, "", [in_use](const json::array& pods) {
    return std::none_of(pods.begin(), pods.end(), in_use);
  });
  set_finalizer(&plan, gvr::kClaims, *claim, kClaimFinalizer, false);
  return plan;
}

void VolumeProtectionController::touched(const World&, const client::Gvr&, const json::value*,
                                         const json::value* after, const Enqueue& enqueue) const {
  if (after != nullptr) enqueue(std::string(api::name_of(*after)));
}

Plan VolumeProtectionController::reconcile(const World& world, const std::string& key,
                                           Instant) const {
  Plan plan;
  const ObjectPtr volume = world.get(gvr::kVolumes, "", key);
  if (volume == nullptr) return plan;
  plan.about = volume;
  if (!is_deleting(*volume)) {
    set_finalizer(&plan, gvr::kVolumes, *volume, kVolumeFinalizer, true);
  } else if (get_string(*volume, "status.phase") != "Bound") {
    set_finalizer(&plan, gvr::kVolumes, *volume, kVolumeFinalizer, false);
  }
  return plan;
}

}  // namespace coracle::controllers
