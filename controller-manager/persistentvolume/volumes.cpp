// A volume: whose it is, and what becomes of it when its claim is gone.
#include <fmt/format.h>

#include <algorithm>

#include "api/object.hpp"
#include "persistentvolume/annotations.hpp"
#include "persistentvolume/sync.hpp"

namespace coracle::controllers::storage {

std::string recycler_pod_name(const json::value& volume) {
  return fmt::format("recycler-for-{}", api::name_of(volume));
}

namespace {

constexpr char kRecyclerImage[] = "registry.k8s.io/build-image/debian-base:bookworm-v1.0.4";
constexpr char kScrub[] =
    "rm -rf /scrub/* /scrub/.[!.]* /scrub/..?* && test -z \"$(ls -A /scrub)\"";
constexpr std::int64_t kRecyclerSeconds = 60;

struct Telling {
  std::string reason, message;
};

// With words: they are told once, when the phase changes, and kept in the status of a failure.
void set_phase(const json::value& volume, const char* phase, WallTime now, Plan* plan,
               const Telling& warning = {}) {
  if (get_string(volume, "status.phase") == phase) return;
  json::value changed = volume;
  json::object& status = make_object(changed, "status");
  status["phase"] = phase;
  status["lastPhaseTransitionTime"] = format_time(now);
  erase_key(status, "message");
  erase_key(status, "reason");
  if (!warning.message.empty()) status["message"] = warning.message;
  plan->update_status(gvr::kVolumes, std::move(changed));
  if (!warning.reason.empty()) plan->warn(warning.reason, warning.message);
}

// Forgets the claim; where a user had named it, only which of that name it was.
void unbind(const json::value& volume, Plan* plan) {
  json::value changed = volume;
  json::object& spec = make_object(changed, "spec");
  if (has_annotation(volume, kBoundByController)) {
    erase_key(spec, "claimRef");
    api::remove_annotation(changed, kBoundByController);
  } else {
    erase_key(make_object(changed, "spec.claimRef"), "uid");
  }
  plan->update(gvr::kVolumes, std::move(changed));
}

// Of volumes that no external provisioner made, only host paths under /tmp can be deleted.
void delete_volume(const json::value& volume, WallTime now, Plan* plan) {
  const std::string maker(api::annotation_of(volume, kProvisionedBy));
  if (!maker.empty() && !maker.starts_with("kubernetes.io/")) return;  // its maker's business
  if (is_deleting(volume)) return;
  const std::string_view path = get_string(volume, "spec.hostPath.path");
  std::string why;
  if (path.empty()) {
    why = fmt::format(
        "error getting deleter volume plugin for volume \"{}\": no deletable volume plugin matched",
        api::name_of(volume));
  } else if (!path.starts_with("/tmp/") || path.size() == 5) {
    why = fmt::format("host_path deleter only supports /tmp/.+ but received provided {}", path);
  }
  if (why.empty()) {
    plan->remove(gvr::kVolumes, volume);
  } else {
    set_phase(volume, "Failed", now, plan, {"VolumeFailedDelete", why});
  }
}

json::value recycler_pod(const json::value& volume) {
  json::object source;
  for (const char* kind : {"hostPath", "nfs"}) {
    if (const json::value* given = get_object(volume, "spec").if_contains(kind)) {
      source[kind] = *given;
    }
  }
  source["name"] = "vol";
  json::object container{{"name", "pv-recycler"}, {"image", kRecyclerImage}};
  json::array& command = container["command"].emplace_array();
  for (const char* word : {"/bin/sh", "-c", kScrub}) {
    command.emplace_back(word);
  }
  container["volumeMounts"].emplace_array().push_back(
      json::object{{"name", "vol"}, {"mountPath", "/scrub"}});
  json::value pod = json::object{{"apiVersion", "v1"}, {"kind", "Pod"}};
  set_path(pod, "metadata.name", json::value(recycler_pod_name(volume)));
  set_path(pod, "metadata.namespace", json::value("default"));
  json::object& spec = make_object(pod, "spec");
  spec["activeDeadlineSeconds"] = kRecyclerSeconds;
  spec["restartPolicy"] = "Never";
  spec["volumes"].emplace_array().push_back(std::move(source));
  spec["containers"].emplace_array().push_back(std::move(container));
  return pod;
}

// Empties the volume by a pod, then gives it back.
void recycle_volume(const World& world, const json::value& volume, WallTime now, Plan* plan) {
  if (find(volume, "spec.hostPath") == nullptr && find(volume, "spec.nfs") == nullptr) {
    return set_phase(volume, "Failed", now, plan,
                     {"VolumeFailedRecycle", "No recycler plugin found for the volume!"});
  }
  if (get_string(volume, "status.phase") == "Failed") return;
  const ObjectPtr pod = world.get(gvr::kPods, "default", recycler_pod_name(volume));
  if (pod == nullptr) {
    plan->create(gvr::kPods, recycler_pod(volume)).exists_is_fine = true;
    return;
  }
  const auto phase = get_string(*pod, "status.phase");
  if (is_deleting(*pod) || (phase != "Succeeded" && phase != "Failed")) return;
  plan->remove(gvr::kPods, *pod);
  if (phase == "Succeeded") {
    plan->note("VolumeRecycled", "Volume recycled");
    return unbind(volume, plan);
  }
  const auto said = get_string(*pod, "status.message", "pod failed, pod.Status.Message unknown.");
  set_phase(volume, "Failed", now, plan,
            {"VolumeFailedRecycle", fmt::format("Recycle failed: {}", said)});
}

void reclaim(const World& world, const json::value& volume, WallTime now, Plan* plan) {
  const auto policy = get_string(volume, "spec.persistentVolumeReclaimPolicy");
  if (policy == "Delete") {
    delete_volume(volume, now, plan);
  } else if (policy == "Recycle") {
    recycle_volume(world, volume, now, plan);
  } else if (policy != "Retain") {
    set_phase(volume, "Failed", now, plan,
              {"VolumeUnknownReclaimPolicy", "Volume has an unrecognized reclaim policy."});
  }
}

// Two steps: what is released is seen as such before anything is done about it.
void release(const World& world, const json::value& volume, WallTime now, Plan* plan) {
  const auto phase = get_string(volume, "status.phase");
  if (phase == "Released" || phase == "Failed") return reclaim(world, volume, now, plan);
  set_phase(volume, "Released", now, plan);
}

void tell_mode_mismatch(const json::value& volume, const ObjectPtr& claim, Plan* plan) {
  plan->warn("VolumeMismatch",
             fmt::format("Cannot bind PersistentVolume to requested PersistentVolumeClaim \"{}\" "
                         "due to incompatible volumeMode.",
                         api::name_of(*claim)));
  plan->events.push_back(
      {true, "VolumeMismatch",
       fmt::format("Cannot bind PersistentVolume \"{}\" to requested PersistentVolumeClaim due to "
                   "incompatible volumeMode.",
                   api::name_of(volume)),
       claim});
}

}  // namespace

void sync_volume(const World& world, const ObjectPtr& seen, Instant now, Plan* plan) {
  const json::value& volume = *seen;
  const std::string uid(get_string(volume, "spec.claimRef.uid"));
  if (uid.empty()) return set_phase(volume, "Available", now.wall, plan);
  const std::string ns(get_string(volume, "spec.claimRef.namespace"));
  const std::string name(get_string(volume, "spec.claimRef.name"));
  const ObjectPtr claim = world.get(gvr::kClaims, ns, name);
  if (claim == nullptr || api::uid_of(*claim) != uid) {
    plan->only_if(gvr::kClaims, ns, name, [uid](const json::array& claims) {
      return std::none_of(claims.begin(), claims.end(),
                          [&](const json::value& c) { return api::uid_of(c) == uid; });
    });
    release(world, volume, now.wall, plan);
    if (plan->writes.size() == 1) plan->writes.clear();  // nothing to look for
    return;
  }
  const auto bound_to = get_string(*claim, "spec.volumeName");
  if (bound_to.empty()) {  // the claim's own turn completes it
    if (get_string(*claim, "spec.volumeMode", "Filesystem") !=
        get_string(volume, "spec.volumeMode", "Filesystem")) {
      tell_mode_mismatch(volume, claim, plan);
    }
    return;
  }
  if (bound_to == api::name_of(volume)) return set_phase(volume, "Bound", now.wall, plan);
  // The claim got another one.
  const bool made_for_it = has_annotation(volume, kProvisionedBy) &&
                           get_string(volume, "spec.persistentVolumeReclaimPolicy") == "Delete";
  if (made_for_it)
    release(world, volume, now.wall, plan);
  else
    unbind(volume, plan);
}

}  // namespace coracle::controllers::storage
