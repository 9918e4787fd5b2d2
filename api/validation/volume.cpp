// The volumes of a pod, by name; what is in a source: volume_source.cpp.
#include <array>
#include <string>

#include "api/validation/checks.hpp"
#include "api/validation/pod_parts.hpp"

namespace coracle::api::validation {
namespace {

using checks::member;
using checks::text_of;

// In the order upstream looks at them: the first one is the volume's, the others are too many.
constexpr std::array<std::string_view, 30> kSources = {"emptyDir",
                                                       "hostPath",
                                                       "gitRepo",
                                                       "gcePersistentDisk",
                                                       "awsElasticBlockStore",
                                                       "secret",
                                                       "nfs",
                                                       "iscsi",
                                                       "glusterfs",
                                                       "flocker",
                                                       "persistentVolumeClaim",
                                                       "rbd",
                                                       "cinder",
                                                       "cephfs",
                                                       "quobyte",
                                                       "downwardAPI",
                                                       "fc",
                                                       "flexVolume",
                                                       "configMap",
                                                       "azureFile",
                                                       "vsphereVolume",
                                                       "photonPersistentDisk",
                                                       "portworxVolume",
                                                       "azureDisk",
                                                       "storageos",
                                                       "projected",
                                                       "scaleIO",
                                                       "csi",
                                                       "ephemeral",
                                                       "image"};

void source(const json::value& volume, PodRole role, const FieldPath& path, FieldErrors& errors) {
  bool found = false;
  for (const std::string_view kind : kSources) {
    const json::value* source = member(volume, kind);
    if (source == nullptr) {
      continue;
    }
    if (found) {
      errors.forbidden(path.child(kind), "may not specify more than 1 volume type");
      continue;
    }
    found = true;
    // Upstream names it so.
    const std::string_view shown = kind == "gcePersistentDisk" ? "persistentDisk" : kind;
    volume_source(kind, *source, role, path.child(shown), errors);
  }
  if (!found) {
    errors.required(path, "must specify a volume type");
  }
}

}  // namespace

Volumes volumes(const json::value& spec, PodRole role, const FieldPath& path, FieldErrors& errors) {
  Volumes out;
  std::size_t index = 0;
  for (const json::value& volume : get_array(spec, "volumes")) {
    const FieldPath at = path.child("volumes").index(index++);
    if (!volume.is_object()) {
      continue;
    }
    const std::size_t before = errors.size();
    source(volume, role, at, errors);
    const std::string_view name = text_of(volume, "name");
    if (name.empty()) {
      errors.required(at.child("name"));
    } else {
      checks::dns_label(name, at.child("name"), errors);
    }
    if (out.find(name) != out.end()) {
      errors.duplicate(at.child("name"), name);
    }
    // A broken volume is not there for the mounts either, as upstream has it.
    if (errors.size() == before) {
      out.emplace(name, &volume);
    }
  }
  return out;
}

}  // namespace coracle::api::validation
