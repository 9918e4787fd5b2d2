#include "persistentvolume/persistentvolume.hpp"

#include <fmt/format.h>

#include "api/object.hpp"
#include "persistentvolume/annotations.hpp"
#include "persistentvolume/sync.hpp"

namespace coracle::controllers {
namespace {

constexpr char kClaim[] = "claim|";
constexpr char kVolume[] = "volume|";
constexpr std::string_view kRecycler = "recycler-for-";

// Claims that have no volume yet and might take one of this class.
void wake_unbound(const World& world, std::string_view class_name, const Enqueue& enqueue) {
  for (const auto& [key, claim] : world.of(gvr::kClaims).objects()) {
    if (storage::has_annotation(*claim, storage::kBindCompleted)) continue;
    if (api::storage_class_of_claim(*claim) == class_name || api::names_no_class(*claim)) {
      enqueue(kClaim + key);
    }
  }
}

void wake_claim_of(const json::value& volume, const Enqueue& enqueue) {
  const auto name = get_string(volume, "spec.claimRef.name");
  if (name.empty()) return;
  enqueue(fmt::format("{}{}/{}", kClaim, get_string(volume, "spec.claimRef.namespace"), name));
}

void claim_changed(const World& world, const json::value& claim, bool gone,
                   const Enqueue& enqueue) {
  if (!gone) enqueue(kClaim + client::object_key(claim));
  const auto volume = get_string(claim, "spec.volumeName");
  if (!volume.empty()) enqueue(fmt::format("{}{}", kVolume, volume));
  if (!gone) return;
  for (const auto& [name, candidate] : world.of(gvr::kVolumes).objects()) {
    if (get_string(*candidate, "spec.claimRef.uid") == api::uid_of(claim)) enqueue(kVolume + name);
  }
}

}  // namespace

void PersistentVolumeController::touched(const World& world, const client::Gvr& gvr,
                                         const json::value* before, const json::value* after,
                                         const Enqueue& enqueue) const {
  const json::value& object = after != nullptr ? *after : *before;
  if (gvr == gvr::kClaims) return claim_changed(world, object, after == nullptr, enqueue);
  if (gvr == gvr::kStorageClasses) {
    return wake_unbound(world, api::name_of(object), enqueue);
  }
  if (gvr == gvr::kPods) {
    const std::string name(api::name_of(object));
    if (name.starts_with(kRecycler)) enqueue(kVolume + name.substr(kRecycler.size()));
    return;
  }
  if (after != nullptr) enqueue(kVolume + std::string(api::name_of(object)));
  if (before != nullptr) wake_claim_of(*before, enqueue);
  if (after == nullptr) return;
  wake_claim_of(*after, enqueue);
  // It may be what somebody waits for; once, when it becomes so.
  const auto is_free = [](const json::value* v) {
    return v != nullptr && get_string(*v, "status.phase") == "Available" &&
           find(*v, "spec.claimRef") == nullptr;
  };
  if (is_free(after) && !is_free(before)) {
    wake_unbound(world, api::storage_class_of_volume(*after), enqueue);
  }
}

Plan PersistentVolumeController::reconcile(const World& world, const std::string& key,
                                           Instant now) const {
  Plan plan;
  if (key.starts_with(kClaim)) {
    const auto [ns, name] = split_key(key.substr(sizeof kClaim - 1));
    const ObjectPtr claim = world.get(gvr::kClaims, ns, name);
    if (claim == nullptr) return plan;
    plan.about = claim;
    storage::sync_claim(world, claim, &plan);
  } else {
    const ObjectPtr volume = world.get(gvr::kVolumes, "", key.substr(sizeof kVolume - 1));
    if (volume == nullptr) return plan;
    plan.about = volume;
    storage::sync_volume(world, volume, now, &plan);
  }
  return plan;
}

}  // namespace coracle::controllers
