#include "provisioner/provisioner.hpp"

#include <fmt/format.h>

#include "api/object.hpp"
#include "api/volume_match.hpp"
#include "controllers/pods.hpp"
#include "persistentvolume/annotations.hpp"
#include "persistentvolume/sync.hpp"

namespace coracle::controllers {
namespace {

constexpr char kClaim[] = "claim|";
constexpr char kVolume[] = "volume|";
constexpr char kFinalizer[] = "external-provisioner.volume.kubernetes.io/finalizer";
constexpr char kLabDriver[] = "hostpath.lab.coracle.dev";
constexpr char kResizing[] = "Resizing";

std::string volume_name(const json::value& claim) {
  return fmt::format("pvc-{}", api::uid_of(claim));
}

api::Quantity size_in_status(const json::value& claim) {
  const auto parsed = api::Quantity::parse(get_string(claim, "status.capacity.storage", "0"));
  return parsed.ok() ? *parsed : api::Quantity();
}

bool wants_more(const json::value& claim) {
  return get_string(claim, "status.phase") == "Bound" &&
         size_in_status(claim) < api::asked_size(claim);
}

json::object reference_to(const json::value& claim) {
  return {{"kind", "PersistentVolumeClaim"},
          {"namespace", api::namespace_of(claim)},
          {"name", api::name_of(claim)},
          {"uid", api::uid_of(claim)},
          {"apiVersion", "v1"},
          {"resourceVersion", api::resource_version_of(claim)}};
}

// A directory of the lab exists on one node only, where the class says that nodes matter; what a
// cloud's driver makes follows its pod.
void set_node_affinity(json::object& spec, std::string_view node) {
  json::object expression{{"key", "kubernetes.io/hostname"}, {"operator", "In"}};
  expression["values"].emplace_array().emplace_back(node);
  json::object term;
  term["matchExpressions"].emplace_array().push_back(std::move(expression));
  json::value affinity = json::object();
  make_object(affinity, "required")["nodeSelectorTerms"].emplace_array().push_back(std::move(term));
  spec["nodeAffinity"] = std::move(affinity);
}

json::value volume_for(const json::value& claim, const json::value& storage_class,
                       const std::string& driver) {
  json::value volume = json::object{{"apiVersion", "v1"}, {"kind", "PersistentVolume"}};
  const std::string name = volume_name(claim);
  set_path(volume, "metadata.name", json::value(name));
  api::set_annotation(volume, storage::kProvisionedBy, driver);
  const bool deletes = get_string(storage_class, "reclaimPolicy", "Delete") == "Delete";
  if (deletes) api::add_finalizer(volume, kFinalizer);
  json::object& spec = make_object(volume, "spec");
  spec["accessModes"] = get_array(claim, "spec.accessModes");
  spec["capacity"] =
      json::object{{"storage", get_string(claim, "spec.resources.requests.storage")}};
  spec["claimRef"] = reference_to(claim);
  // A driver's name has no slash, a provisioner's may.
  spec["csi"] = json::object{{"driver", driver == kLabProvisioner ? kLabDriver : driver},
                             {"volumeHandle", name}};
  spec["persistentVolumeReclaimPolicy"] = deletes ? "Delete" : "Retain";
  spec["storageClassName"] = api::name_of(storage_class);
  spec["volumeMode"] = get_string(claim, "spec.volumeMode", "Filesystem");
  const json::array& options = get_array(storage_class, "mountOptions");
  if (!options.empty()) spec["mountOptions"] = options;
  const auto node = api::annotation_of(claim, storage::kSelectedNode);
  if (!node.empty() && driver == kLabProvisioner) set_node_affinity(spec, node);
  return volume;
}

// The conditions without the one about resizing, or with it.
json::array conditions_with(const json::value& claim, bool resizing, WallTime now) {
  json::array conditions;
  for (const json::value& c : get_array(claim, "status.conditions")) {
    if (get_string(c, "type") != kResizing) conditions.push_back(c);
  }
  if (resizing) {
    conditions.push_back(json::object{{"lastProbeTime", nullptr},
                                      {"lastTransitionTime", format_time(now)},
                                      {"status", "True"},
                                      {"type", kResizing}});
  }
  return conditions;
}

}  // namespace

void ProvisionerController::touched(const World& world, const client::Gvr& gvr, const json::value*,
                                    const json::value* after, const Enqueue& enqueue) const {
  if (after == nullptr) return;
  if (gvr == gvr::kClaims) return enqueue(kClaim + client::object_key(*after));
  if (gvr == gvr::kStorageClasses) {
    for (const auto& [key, claim] : world.of(gvr::kClaims).objects()) {
      if (api::storage_class_of_claim(*claim) == api::name_of(*after)) enqueue(kClaim + key);
    }
    return;
  }
  enqueue(kVolume + std::string(api::name_of(*after)));
}

Plan ProvisionerController::reconcile(const World& world, const std::string& key,
                                      Instant now) const {
  Plan plan;
  if (key.starts_with(kVolume)) {
    const ObjectPtr volume = world.get(gvr::kVolumes, "", key.substr(sizeof kVolume - 1));
    if (volume == nullptr) return plan;
    plan.about = volume;
    clean_up(*volume, &plan);
    return plan;
  }
  const auto [ns, name] = split_key(key.substr(sizeof kClaim - 1));
  const ObjectPtr claim = world.get(gvr::kClaims, ns, name);
  if (claim == nullptr) return plan;
  plan.about = claim;
  if (get_string(*claim, "spec.volumeName").empty())
    provision(world, *claim, &plan);
  else
    resize(world, *claim, now.wall, &plan);
  return plan;
}

void ProvisionerController::provision(const World& world, const json::value& claim,
                                      Plan* plan) const {
  const std::string driver(api::annotation_of(claim, storage::kProvisioner));
  if (!drivers_.contains(driver) || is_deleting(claim)) return;
  const ObjectPtr storage_class = storage::class_of(world, claim);
  if (storage_class == nullptr) return;
  if (storage::waits_for_consumer(world, claim) &&
      api::annotation_of(claim, storage::kSelectedNode).empty()) {
    return;
  }
  if (world.get(gvr::kVolumes, "", volume_name(claim)) != nullptr) return;  // the binder's turn
  const std::string class_name(api::name_of(*storage_class));
  if (find(claim, "spec.selector") != nullptr) {
    return plan->warn("ProvisioningFailed",
                      fmt::format("failed to provision volume with StorageClass \"{}\": "
                                  "claim.Spec.Selector is not supported",
                                  class_name));
  }
  plan->note("Provisioning", fmt::format("External provisioner is provisioning volume for claim "
                                         "\"{}\"",
                                         client::object_key(claim)));
  Write& write = plan->create(gvr::kVolumes, volume_for(claim, *storage_class, driver));
  write.exists_is_fine = true;
  write.done_reason = "ProvisioningSucceeded";
  write.done_message = "Successfully provisioned volume {name}";
  write.failed_reason = "ProvisioningFailed";
  write.failed_message =
      fmt::format("failed to provision volume with StorageClass \"{}\": ", class_name);
}

// First the volume, then what the claim says of it.
void ProvisionerController::resize(const World& world, const json::value& claim, WallTime now,
                                   Plan* plan) const {
  if (!wants_more(claim)) return;
  const ObjectPtr storage_class = storage::class_of(world, claim);
  if (storage_class == nullptr || !get_bool(*storage_class, "allowVolumeExpansion")) return;
  const ObjectPtr volume =
      world.get(gvr::kVolumes, "", std::string(get_string(claim, "spec.volumeName")));
  if (volume == nullptr ||
      !drivers_.contains(std::string(api::annotation_of(*volume, storage::kProvisionedBy)))) {
    return;
  }
  const std::string asked(get_string(claim, "spec.resources.requests.storage"));
  json::value changed = claim;
  json::object& status = make_object(changed, "status");
  if (api::volume_size(*volume) < api::asked_size(claim)) {
    plan->note("Resizing",
               fmt::format("External resizer is resizing volume {}", api::name_of(*volume)));
    status["conditions"] = conditions_with(claim, true, now);
    status["allocatedResources"] = json::object{{"storage", asked}};
    status["allocatedResourceStatuses"] = json::object{{"storage", "ControllerResizeInProgress"}};
    plan->update_status(gvr::kClaims, std::move(changed));
    json::value grown = *volume;
    set_path(grown, "spec.capacity.storage", json::value(asked));
    plan->update(gvr::kVolumes, std::move(grown));
    return;
  }
  json::array conditions = conditions_with(claim, false, now);
  if (conditions.empty())
    erase_key(status, "conditions");
  else
    status["conditions"] = std::move(conditions);
  erase_key(status, "allocatedResourceStatuses");
  status["capacity"] = get_object(*volume, "spec.capacity");
  Write& write = plan->update_status(gvr::kClaims, std::move(changed));
  write.done_reason = "VolumeResizeSuccessful";
  write.done_message = "Resize volume succeeded";
}

// What a claim has left behind; and the finalizer of one that a user takes away.
void ProvisionerController::clean_up(const json::value& volume, Plan* plan) const {
  if (!drivers_.contains(std::string(api::annotation_of(volume, storage::kProvisionedBy)))) return;
  if (is_deleting(volume)) {
    json::value changed = volume;
    const bool held = get_string(volume, "status.phase") == "Bound";
    if (!held && api::remove_finalizer(changed, kFinalizer)) {
      plan->update(gvr::kVolumes, std::move(changed));
    }
    return;
  }
  if (get_string(volume, "status.phase") == "Released" &&
      get_string(volume, "spec.persistentVolumeReclaimPolicy") == "Delete") {
    plan->remove(gvr::kVolumes, volume);
  }
}

void VolumeExpandController::touched(const World&, const client::Gvr& gvr,
                                     const json::value* before, const json::value* after,
                                     const Enqueue& enqueue) const {
  if (gvr != gvr::kClaims || after == nullptr || !wants_more(*after)) return;
  if (before == nullptr || api::asked_size(*before) < api::asked_size(*after)) {
    enqueue(client::object_key(*after));
  }
}

Plan VolumeExpandController::reconcile(const World& world, const std::string& key, Instant) const {
  Plan plan;
  const auto [ns, name] = split_key(key);
  const ObjectPtr claim = world.get(gvr::kClaims, ns, name);
  if (claim == nullptr || !wants_more(*claim)) return plan;
  plan.about = claim;
  plan.note("ExternalExpanding", "waiting for an external controller to expand this PVC");
  return plan;
}

}  // namespace coracle::controllers
