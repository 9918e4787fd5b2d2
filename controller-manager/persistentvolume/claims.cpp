// A claim: which volume it gets, and what it says of itself.
#include <fmt/format.h>

#include <algorithm>

#include "api/object.hpp"
#include "base/strings.hpp"
#include "persistentvolume/annotations.hpp"
#include "persistentvolume/sync.hpp"

namespace coracle::controllers::storage {

bool has_annotation(const json::value& object, const char* key) {
  return api::annotations_of(object).contains(key);
}

std::vector<const json::value*> all_of(const World& world, const client::Gvr& gvr) {
  std::vector<const json::value*> all;
  for (const auto& [key, object] : world.of(gvr).objects()) all.push_back(object.get());
  return all;
}

ObjectPtr class_of(const World& world, const json::value& claim) {
  const std::string name(api::storage_class_of_claim(claim));
  return name.empty() ? nullptr : world.get(gvr::kStorageClasses, "", name);
}

bool waits_for_consumer(const World& world, const json::value& claim) {
  const ObjectPtr storage_class = class_of(world, claim);
  return storage_class != nullptr &&
         get_string(*storage_class, "volumeBindingMode") == "WaitForFirstConsumer";
}

namespace {

// Upstream looks at every claim again so often, whatever happens, and says again what it waits for.
constexpr Duration kResync = std::chrono::seconds(15);
constexpr char kNoPlugin[] = "no volume plugin matched name: ";

struct Migrated {
  std::string_view old_name, driver;
};
// Provisioners that were once built in: their classes are served by these drivers.
constexpr Migrated kMigrated[] = {
    {"kubernetes.io/aws-ebs", "ebs.csi.aws.com"},
    {"kubernetes.io/azure-disk", "disk.csi.azure.com"},
    {"kubernetes.io/azure-file", "file.csi.azure.com"},
    {"kubernetes.io/cinder", "cinder.csi.openstack.org"},
    {"kubernetes.io/gce-pd", "pd.csi.storage.gke.io"},
    {"kubernetes.io/portworx-volume", "pxd.portworx.com"},
    {"kubernetes.io/vsphere-volume", "csi.vsphere.vmware.com"},
};

std::string_view driver_of(std::string_view provisioner) {
  for (const auto& [old_name, driver] : kMigrated) {
    if (old_name == provisioner) return driver;
  }
  return provisioner;
}

// The phase, and with a volume its modes and, when it becomes bound, its size. Whether that is new.
bool set_status(const json::value& claim, const char* phase, const json::value* volume,
                Plan* plan) {
  json::value changed = claim;
  json::object& status = make_object(changed, "status");
  const json::value before = status;
  const bool becomes = get_string(status, "phase") != phase;
  status["phase"] = phase;
  if (volume == nullptr) {
    erase_key(status, "accessModes");
    erase_key(status, "capacity");
  } else {
    status["accessModes"] = get_array(*volume, "spec.accessModes");
    // Later it may differ: the file system need not have grown with the volume yet.
    if (becomes) status["capacity"] = get_object(*volume, "spec.capacity");
  }
  if (json::value(status) == before) return false;
  plan->update_status(gvr::kClaims, std::move(changed));
  return true;
}

json::object reference_to(const json::value& claim) {
  return {{"kind", "PersistentVolumeClaim"},
          {"namespace", api::namespace_of(claim)},
          {"name", api::name_of(claim)},
          {"uid", api::uid_of(claim)},
          {"apiVersion", "v1"},
          {"resourceVersion", api::resource_version_of(claim)}};
}

// Plans what is missing of the binding; the status follows when both references are seen.
void bind(const json::value& volume, const json::value& claim, Plan* plan) {
  const bool reserved = api::is_reserved_for(volume, claim);
  if (get_string(volume, "spec.claimRef.uid") != api::uid_of(claim)) {
    json::value changed = volume;
    make_object(changed, "spec")["claimRef"] = reference_to(claim);
    if (!reserved) api::set_annotation(changed, kBoundByController, "yes");
    plan->update(gvr::kVolumes, std::move(changed));
  }
  const bool names_it = get_string(claim, "spec.volumeName") == api::name_of(volume);
  if (!names_it || !has_annotation(claim, kBindCompleted)) {
    json::value patch = json::object();
    set_path(patch, "metadata.resourceVersion", json::value(api::resource_version_of(claim)));
    json::object& annotations = make_object(patch, "metadata.annotations");
    annotations[kBindCompleted] = "yes";
    if (!names_it) {
      annotations[kBoundByController] = "yes";
      set_path(patch, "spec.volumeName", json::value(api::name_of(volume)));
    }
    plan->patch(gvr::kClaims, claim, std::move(patch), client::PatchType::kMerge);
  }
  if (plan->writes.empty()) set_status(claim, "Bound", &volume, plan);
}

void tell_who_is_waited_for(const World& world, const json::value& claim, Plan* plan) {
  std::vector<std::string> pods;
  for (const ObjectPtr& pod :
       world.in_namespace(gvr::kPods, std::string(api::namespace_of(claim)))) {
    if (!get_string(*pod, "spec.nodeName").empty() || !is_active(*pod)) continue;
    for (const json::value& volume : get_array(*pod, "spec.volumes")) {
      if (get_string(volume, "persistentVolumeClaim.claimName") != api::name_of(claim)) continue;
      pods.emplace_back(api::name_of(*pod));
      break;
    }
  }
  if (pods.empty()) {
    plan->note("WaitForFirstConsumer", "waiting for first consumer to be created before binding");
  } else {
    plan->note("WaitForPodScheduled", fmt::format("waiting for pod{} {} to be scheduled",
                                                  pods.size() > 1 ? "s" : "", join(pods, ",")));
  }
}

// A claim that leaves the class open gets the default one as soon as there is one.
bool assign_default_class(const World& world, const json::value& claim, Plan* plan) {
  if (!api::names_no_class(claim)) return false;
  const json::value* chosen = api::default_storage_class(all_of(world, gvr::kStorageClasses));
  if (chosen == nullptr) return false;
  json::value changed = claim;
  set_path(changed, "spec.storageClassName", json::value(api::name_of(*chosen)));
  plan->update(gvr::kClaims, std::move(changed));
  return true;
}

// Asks the class's provisioner for a volume.
void ask_provisioner(const World& world, const json::value& claim, Plan* plan) {
  const ObjectPtr storage_class = class_of(world, claim);
  if (storage_class == nullptr) {
    plan->warn("ProvisioningFailed", fmt::format("storageclass.storage.k8s.io \"{}\" not found",
                                                 api::storage_class_of_claim(claim)));
    return;
  }
  const std::string_view named = get_string(*storage_class, "provisioner");
  const std::string driver(driver_of(named));
  if (driver.starts_with("kubernetes.io/")) {
    plan->warn("ProvisioningFailed", kNoPlugin + driver);
    return;
  }
  plan->note("ExternalProvisioning",
             fmt::format("Waiting for a volume to be created either by the external provisioner "
                         "'{}' or manually by the system administrator. If volume creation is "
                         "delayed, please verify that the provisioner is running and correctly "
                         "registered.",
                         driver));
  if (api::annotation_of(claim, kProvisioner) == driver) return;
  json::value changed = claim;
  api::set_annotation(changed, kOldProvisioner, driver);
  api::set_annotation(changed, kProvisioner, driver);
  plan->update(gvr::kClaims, std::move(changed));
}

void look_for_volume(const World& world, const json::value& claim, Plan* plan) {
  const bool delayed = waits_for_consumer(world, claim);
  const json::value* volume =
      api::best_volume(claim, all_of(world, gvr::kVolumes), {.delay_binding = delayed});
  if (volume != nullptr) return bind(*volume, claim, plan);
  if (assign_default_class(world, claim, plan)) return;
  plan->look_again(kResync);
  if (delayed && !has_annotation(claim, kSelectedNode)) {
    tell_who_is_waited_for(world, claim, plan);
  } else if (!api::storage_class_of_claim(claim).empty()) {
    return ask_provisioner(world, claim, plan);
  } else {
    plan->note("FailedBinding",
               "no persistent volumes available for this claim and no storage class is set");
  }
  set_status(claim, "Pending", nullptr, plan);
}

void sync_unbound(const World& world, const json::value& claim, Plan* plan) {
  const std::string wanted(get_string(claim, "spec.volumeName"));
  if (wanted.empty()) return look_for_volume(world, claim, plan);
  const ObjectPtr volume = world.get(gvr::kVolumes, "", wanted);
  if (volume != nullptr) {
    if (api::is_reserved_for(*volume, claim)) return bind(*volume, claim, plan);
    if (find(*volume, "spec.claimRef") == nullptr) {
      const auto why = api::why_unfit(*volume, claim);
      if (!why) return bind(*volume, claim, plan);
      plan->warn("VolumeMismatch",
                 fmt::format("Cannot bind to requested volume \"{}\": {}", wanted, *why));
    } else {
      plan->warn("FailedBinding",
                 fmt::format("volume \"{}\" already bound to a different claim.", wanted));
    }
    plan->look_again(kResync);
  }
  set_status(claim, "Pending", nullptr, plan);
}

void sync_bound(const World& world, const json::value& claim, Plan* plan) {
  const auto lost = [&](const char* reason, const char* message) {
    if (get_string(claim, "status.phase") == "Lost") return;
    set_status(claim, "Lost", nullptr, plan);
    plan->warn(reason, message);
  };
  const std::string named(get_string(claim, "spec.volumeName"));
  if (named.empty()) {
    return lost("ClaimLost",
                "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!");
  }
  const ObjectPtr volume = world.get(gvr::kVolumes, "", named);
  if (volume == nullptr) {
    return lost("ClaimLost",
                "Bound claim has lost its PersistentVolume. Data on the volume is lost!");
  }
  const auto holder = get_string(*volume, "spec.claimRef.uid");
  if (find(*volume, "spec.claimRef") == nullptr || holder == api::uid_of(claim)) {
    return bind(*volume, claim, plan);
  }
  lost("ClaimMisbound", "Two claims are bound to the same volume, this one is bound incorrectly");
}

}  // namespace

void sync_claim(const World& world, const ObjectPtr& claim, Plan* plan) {
  if (has_annotation(*claim, kBindCompleted))
    sync_bound(world, *claim, plan);
  else
    sync_unbound(world, *claim, plan);
}

}  // namespace coracle::controllers::storage
