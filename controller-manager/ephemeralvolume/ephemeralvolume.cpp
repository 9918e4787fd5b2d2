#include "ephemeralvolume/ephemeralvolume.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/object.hpp"
#include "controllers/pods.hpp"

namespace coracle::controllers {
namespace {

bool has_ephemeral(const json::value& pod) {
  const json::array& volumes = get_array(pod, "spec.volumes");
  return std::any_of(volumes.begin(), volumes.end(), [](const json::value& volume) {
    return find(volume, "ephemeral.volumeClaimTemplate") != nullptr;
  });
}

json::value claim_for(const json::value& pod, const std::string& name,
                      const json::value& claim_template) {
  json::value claim = json::object{{"apiVersion", "v1"}, {"kind", "PersistentVolumeClaim"}};
  set_path(claim, "metadata.name", json::value(name));
  set_path(claim, "metadata.namespace", json::value(api::namespace_of(pod)));
  if (!api::labels_of(claim_template).empty()) {
    set_path(claim, "metadata.labels", json::value(api::labels_of(claim_template)));
  }
  if (!api::annotations_of(claim_template).empty()) {
    set_path(claim, "metadata.annotations", json::value(api::annotations_of(claim_template)));
  }
  json::array owners;
  owners.push_back(api::controller_reference(pod));
  set_path(claim, "metadata.ownerReferences", std::move(owners));
  claim.as_object()["spec"] = get_object(claim_template, "spec");
  return claim;
}

}  // namespace

void EphemeralVolumeController::touched(const World& world, const client::Gvr& gvr,
                                        const json::value* before, const json::value* after,
                                        const Enqueue& enqueue) const {
  if (gvr == gvr::kPods) {
    if (after != nullptr && has_ephemeral(*after)) enqueue(client::object_key(*after));
    return;
  }
  if (after != nullptr) return;  // only a claim that went may be missed
  const json::value* owner = api::controller_of(*before);
  if (owner == nullptr || get_string(*owner, "kind") != "Pod") return;
  const std::string key =
      fmt::format("{}/{}", api::namespace_of(*before), get_string(*owner, "name"));
  if (world.of(gvr::kPods).get(key) != nullptr) enqueue(key);
}

Plan EphemeralVolumeController::reconcile(const World& world, const std::string& key,
                                          Instant) const {
  Plan plan;
  const auto [ns, name] = split_key(key);
  const ObjectPtr pod = world.get(gvr::kPods, ns, name);
  if (pod == nullptr || !is_active(*pod)) return plan;
  plan.about = pod;
  for (const json::value& volume : get_array(*pod, "spec.volumes")) {
    const json::value* claim_template = find(volume, "ephemeral.volumeClaimTemplate");
    if (claim_template == nullptr) continue;
    const std::string claim = fmt::format("{}-{}", name, get_string(volume, "name"));
    if (const ObjectPtr had = world.get(gvr::kClaims, ns, claim)) {
      if (!api::is_owned_by(*had, api::uid_of(*pod))) {
        plan.warn("FailedCreate",
                  fmt::format("PVC {}/{} was not created for pod {}/{} (pod is not owner)", ns,
                              claim, ns, name));
      }
      continue;
    }
    plan.create(gvr::kClaims, claim_for(*pod, claim, *claim_template)).exists_is_fine = true;
  }
  return plan;
}

}  // namespace coracle::controllers
