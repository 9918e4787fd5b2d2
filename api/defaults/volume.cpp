#include "api/defaults/defaults.hpp"
#include "api/defaults/fill.hpp"

namespace coracle::api::defaults {
namespace {

constexpr int kFileMode = 0644;  // shown as 420: JSON has no octal
constexpr std::int64_t kTokenSeconds = 3600;

void set_field_refs(json::object& downward) {
  each_object(downward, "items", [](json::object& item) {
    if (json::object* field = child(item, "fieldRef")) {
      set_text_default(*field, "apiVersion", "v1");
    }
  });
}

void set_projected(json::object& projected) {
  set_default(projected, "defaultMode", kFileMode);
  each_object(projected, "sources", [](json::object& source) {
    if (json::object* token = child(source, "serviceAccountToken")) {
      set_default(*token, "expirationSeconds", kTokenSeconds);
    }
    if (json::object* downward = child(source, "downwardAPI")) {
      set_field_refs(*downward);
    }
  });
}

void set_host_path(json::object& holder) {
  if (json::object* path = child(holder, "hostPath")) {
    set_default(*path, "type", "");
  }
}

void set_volume(json::object& volume) {
  // A volume that names no source is an empty directory.
  if (volume.size() <= (has(volume, "name") ? 1U : 0U)) {
    volume["emptyDir"] = json::object();
  }
  for (const std::string_view source : {"secret", "configMap", "downwardAPI"}) {
    if (json::object* present = child(volume, source)) {
      set_default(*present, "defaultMode", kFileMode);
      set_field_refs(*present);
    }
  }
  if (json::object* projected = child(volume, "projected")) {
    set_projected(*projected);
  }
  set_host_path(volume);
  if (json::object* ephemeral = child(volume, "ephemeral")) {
    if (json::object* claim = child(*ephemeral, "volumeClaimTemplate")) {
      if (json::object* spec = child(*claim, "spec")) {
        set_text_default(*spec, "volumeMode", "Filesystem");
      }
    }
  }
}

}  // namespace

void set_volumes(json::object& pod_spec) {
  each_object(pod_spec, "volumes", [](json::object& volume) {
    // configMap and secret items hold no fieldRef, so one walk serves all three.
    set_volume(volume);
  });
}

void set_persistent_volume(json::object& volume) {
  if (json::object* spec = child_default(volume, "spec")) {
    set_text_default(*spec, "persistentVolumeReclaimPolicy", "Retain");
    set_text_default(*spec, "volumeMode", "Filesystem");
    set_host_path(*spec);
  }
  if (json::object* status = child_default(volume, "status")) {
    set_text_default(*status, "phase", "Pending");
  }
}

void set_persistent_volume_claim(json::object& claim) {
  if (json::object* spec = child_default(claim, "spec")) {
    set_text_default(*spec, "volumeMode", "Filesystem");
  }
  if (json::object* status = child_default(claim, "status")) {
    set_text_default(*status, "phase", "Pending");
  }
}

void prepare_volume_create(json::object& object) {
  json::object status;
  status["phase"] = "Pending";
  object["status"] = std::move(status);
}

void set_storage_class(json::object& object) {
  set_text_default(object, "reclaimPolicy", "Delete");
  set_text_default(object, "volumeBindingMode", "Immediate");
}

void set_csi_driver(json::object& object) {
  json::object* spec = child_default(object, "spec");
  if (spec == nullptr) {
    return;
  }
  set_default(*spec, "attachRequired", true);
  for (const std::string_view flag :
       {"podInfoOnMount", "storageCapacity", "requiresRepublish", "seLinuxMount"}) {
    set_default(*spec, flag, false);
  }
  set_text_default(*spec, "fsGroupPolicy", "ReadWriteOnceWithFSType");
  json::array modes;
  modes.emplace_back("Persistent");
  set_default(*spec, "volumeLifecycleModes", std::move(modes));
}

}  // namespace coracle::api::defaults
