// PersistentVolume and StorageClass.
#include <array>
#include <set>
#include <string>

#include "api/validation/checks.hpp"
#include "api/validation/go_structs.hpp"
#include "api/validation/pod_parts.hpp"
#include "api/validation/resources.hpp"
#include "api/validation/storage_parts.hpp"
#include "api/validation/validation.hpp"
#include "base/strings.hpp"

namespace coracle::api::validation {
namespace {

using checks::member;
using checks::text_of;

constexpr std::size_t kParametersMax = 512;
constexpr std::size_t kParameterBytesMax = 256 * 1024;

const json::value& spec_of(const json::value& object) {
  static const json::value kNothing = json::object();
  const json::value* spec = member(object, "spec");
  return spec == nullptr ? kNothing : *spec;
}

// In the order upstream looks at them.
constexpr std::array<std::string_view, 22> kSources = {"hostPath",
                                                       "gcePersistentDisk",
                                                       "awsElasticBlockStore",
                                                       "glusterfs",
                                                       "flocker",
                                                       "nfs",
                                                       "rbd",
                                                       "quobyte",
                                                       "cephfs",
                                                       "iscsi",
                                                       "cinder",
                                                       "fc",
                                                       "flexVolume",
                                                       "azureFile",
                                                       "vsphereVolume",
                                                       "photonPersistentDisk",
                                                       "portworxVolume",
                                                       "azureDisk",
                                                       "scaleIO",
                                                       "local",
                                                       "storageos",
                                                       "csi"};

void capacity(const json::value& spec, FieldErrors& errors) {
  const FieldPath path = FieldPath("spec").child("capacity");
  const json::object& list = get_object(spec, "capacity");
  if (list.empty()) {
    errors.required(path);
  }
  if (find_member(list, "storage") == nullptr || list.size() > 1) {
    const json::value* shown = member(spec, "capacity");
    errors.not_supported(path, checks::value_or_null(shown), {"storage"});
  }
  for (const std::string& name : checks::sorted_names(list)) {
    const FieldPath at = path.key(name);
    const auto amount = resource::amount_of(find_member(list, name));
    if (!amount) {
      continue;
    }
    if (amount->sign() < 0) {
      errors.invalid(at, amount->value(), "must be a valid resource quantity");
    }
    resource::positive(*amount, at, errors);
  }
}

bool node_affinity(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  const json::value* affinity = member(spec, "nodeAffinity");
  if (affinity == nullptr) {
    return false;
  }
  if (const json::value* required = member(*affinity, "required")) {
    node_selector(*required, path.child("nodeAffinity").child("required"), errors);
  } else {
    errors.required(path.child("nodeAffinity").child("required"),
                    "must specify required node constraints");
  }
  return true;
}

void secret_reference(const json::value& source, std::string_view key, const FieldPath& path,
                      FieldErrors& errors) {
  const json::value* secret = member(source, key);
  if (secret == nullptr) {
    return;
  }
  const FieldPath at = path.child(key);
  if (checks::required_text(*secret, "name", at, errors)) {
    checks::dns_subdomain(text_of(*secret, "name"), at.child("name"), errors);
  }
  if (checks::required_text(*secret, "namespace", at, errors)) {
    checks::dns_label(text_of(*secret, "namespace"), at.child("namespace"), errors);
  }
}

void csi(const json::value& source, const FieldPath& path, FieldErrors& errors) {
  if (checks::required_text(source, "driver", path, errors)) {
    const std::string_view driver = text_of(source, "driver");
    constexpr int kNameMax = 63;
    if (driver.size() > kNameMax) {
      errors.too_long(path.child("driver"), kNameMax);
    }
    errors.invalid_each(path.child("driver"), driver, check_dns1123_subdomain(to_lower(driver)));
  }
  checks::required_text(source, "volumeHandle", path, errors);
  for (const std::string_view key : {"controllerPublishSecretRef", "controllerExpandSecretRef",
                                     "nodePublishSecretRef", "nodeExpandSecretRef"}) {
    secret_reference(source, key, path, errors);
  }
}

void source(const json::value& spec, bool has_affinity, FieldErrors& errors) {
  const FieldPath path("spec");
  bool found = false;
  for (const std::string_view kind : kSources) {
    const json::value* source = member(spec, kind);
    if (source == nullptr) {
      continue;
    }
    if (found && kind != "flexVolume") {
      errors.forbidden(path.child(kind == "cephfs" ? "cephFS" : kind),
                       "may not specify more than 1 volume type");
      continue;
    }
    found = true;
    if (kind == "csi") {
      csi(*source, path.child(kind), errors);
    } else {
      const std::string_view shown = kind == "gcePersistentDisk" ? "persistentDisk" : kind;
      volume_source(kind, *source, PodRole::kPod, path.child(shown), errors);
    }
    if (kind == "local" && !has_affinity) {
      errors.required(path.child("nodeAffinity"), "Local volume requires node affinity");
    }
  }
  if (!found) {
    errors.required(path, "must specify a volume type");
  }
}

void volume_update(const json::value& object, const json::value& old, FieldErrors& errors) {
  const json::value& now = spec_of(object);
  const json::value& before = spec_of(old);
  json::value sources = json::object();
  json::value old_sources = json::object();
  for (const std::string_view kind : kSources) {
    for (const auto& [spec, out] : {std::pair(&now, &sources), std::pair(&before, &old_sources)}) {
      if (const json::value* source = member(*spec, kind)) {
        out->get_object()[kind] = *source;
      }
    }
  }
  json::value* csi = find_member(sources.get_object(), "csi");
  if (csi != nullptr && csi->is_object() &&
      find(before, "csi.controllerExpandSecretRef") == nullptr) {
    erase_key(csi->get_object(), "controllerExpandSecretRef");
  }
  if (!checks::same(&sources, &old_sources)) {
    errors.forbidden(FieldPath("spec").child("persistentvolumesource"),
                     "spec.persistentvolumesource is immutable after creation" +
                         changed_spec(old_sources, sources, "PersistentVolumeSource"));
  }
  validate_immutable(member(now, "volumeMode"), member(before, "volumeMode"),
                     FieldPath("volumeMode"), errors);
  const json::value* affinity = member(before, "nodeAffinity");
  if (affinity != nullptr && !checks::same(member(now, "nodeAffinity"), affinity)) {
    errors.invalid(FieldPath("nodeAffinity"), checks::value_or_null(member(now, "nodeAffinity")),
                   "field is immutable, except for updating from beta label to GA");
  }
  if (member(before, "volumeAttributesClassName") != nullptr &&
      member(now, "volumeAttributesClassName") == nullptr) {
    errors.forbidden(FieldPath("spec").child("volumeAttributesClassName"),
                     "update from non-nil value to nil is forbidden");
  }
}

void parameters(const json::value& object, FieldErrors& errors) {
  const json::object& list = get_object(object, "parameters");
  const FieldPath path("parameters");
  std::size_t bytes = 0;
  for (const std::string& key : checks::sorted_names(list)) {
    if (key.empty()) {
      errors.invalid(path, key, "field can not be empty.");
    }
    bytes += key.size() + text_of(*member(object, "parameters"), key).size();
  }
  if (list.size() > kParametersMax) {
    errors.too_long(path, static_cast<int>(kParametersMax));
  } else if (bytes > kParameterBytesMax) {
    errors.too_long(path, static_cast<int>(kParameterBytesMax));
  }
}

void provisioner(const json::value& object, FieldErrors& errors) {
  if (checks::required_text(object, "provisioner", FieldPath(), errors)) {
    const std::string_view name = text_of(object, "provisioner");
    errors.invalid_each(FieldPath("provisioner"), name, check_qualified_name(to_lower(name)));
  }
}

// Each term of where volumes may be made says something else.
void allowed_topologies(const json::value& object, FieldErrors& errors) {
  std::size_t index = 0;
  for (const json::value& term : get_array(object, "allowedTopologies")) {
    const FieldPath at =
        FieldPath("allowedTopologies").index(index++).child("matchLabelExpressions");
    std::set<std::string, std::less<>> keys;
    std::size_t inner = 0;
    for (const json::value& rule : get_array(term, "matchLabelExpressions")) {
      const FieldPath here = at.index(inner++);
      const json::array& values = get_array(rule, "values");
      if (values.empty()) {
        errors.required(here.child("values"));
      }
      std::set<std::string, std::less<>> seen;
      for (std::size_t i = 0; i < values.size(); ++i) {
        if (values[i].is_string() && !seen.emplace(values[i].get_string()).second) {
          errors.duplicate(here.child("values").index(i), values[i]);
        }
      }
      const std::string_view key = text_of(rule, "key");
      checks::label_name(key, here.child("key"), errors);
      if (!keys.emplace(key).second) {
        errors.duplicate(here.child("key"), key);
      }
    }
  }
}

}  // namespace

void access_modes(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  static const std::set<std::string, std::less<>> kModes = {"ReadOnlyMany", "ReadWriteMany",
                                                            "ReadWriteOnce", "ReadWriteOncePod"};
  bool alone = false;
  bool shared = false;
  for (const json::value& mode : get_array(spec, "accessModes")) {
    const std::string_view text =
        mode.is_string() ? std::string_view(mode.get_string()) : std::string_view();
    if (kModes.find(text) == kModes.end()) {
      errors.not_supported(path.child("accessModes"), mode, {kModes.begin(), kModes.end()});
    } else if (text == "ReadWriteOncePod") {
      alone = true;
    } else {
      shared = true;
    }
  }
  if (alone && shared) {
    errors.forbidden(path.child("accessModes"),
                     "may not use ReadWriteOncePod with other access modes");
  }
}

void persistent_volume(const json::value& object, const json::value* old, FieldErrors& errors) {
  const json::value& spec = spec_of(object);
  const FieldPath path("spec");
  if (get_array(spec, "accessModes").empty()) {
    errors.required(path.child("accessModes"));
  }
  access_modes(spec, path, errors);
  capacity(spec, errors);
  checks::one_of_if_set(spec, "persistentVolumeReclaimPolicy", path,
                        {"Delete", "Recycle", "Retain"}, errors);
  source(spec, node_affinity(spec, path, errors), errors);
  if (get_string(spec, "hostPath.path") == "/" &&
      text_of(spec, "persistentVolumeReclaimPolicy") == "Recycle") {
    errors.forbidden(path.child("persistentVolumeReclaimPolicy"),
                     "may not be 'recycle' for a hostPath mount of '/'");
  }
  if (const std::string_view name = text_of(spec, "storageClassName"); !name.empty()) {
    checks::dns_subdomain(name, path.child("storageClassName"), errors);
  }
  checks::one_of_if_set(spec, "volumeMode", path, {"Block", "Filesystem"}, errors);
  if (member(spec, "volumeAttributesClassName") != nullptr) {
    if (checks::required_text(spec, "volumeAttributesClassName", path, errors,
                              "an empty string is disallowed")) {
      checks::dns_subdomain(text_of(spec, "volumeAttributesClassName"),
                            path.child("volumeAttributesClassName"), errors);
    }
    if (member(spec, "csi") == nullptr) {
      errors.required(path.child("csi"),
                      "has to be specified when using volumeAttributesClassName");
    }
  }
  if (old != nullptr) {
    volume_update(object, *old, errors);
  }
}

void storage_class(const json::value& object, const json::value* old, FieldErrors& errors) {
  provisioner(object, errors);
  parameters(object, errors);
  checks::one_of(object, "reclaimPolicy", FieldPath(), {"Delete", "Retain"}, errors);
  checks::one_of(object, "volumeBindingMode", FieldPath(), {"Immediate", "WaitForFirstConsumer"},
                 errors);
  allowed_topologies(object, errors);
  if (old == nullptr) {
    return;
  }
  for (const std::string_view key : {"parameters", "provisioner", "reclaimPolicy"}) {
    if (!checks::same(member(object, key), member(*old, key))) {
      errors.forbidden(FieldPath(key), "updates to " + std::string(key) + " are forbidden.");
    }
  }
  validate_immutable(member(object, "volumeBindingMode"), member(*old, "volumeBindingMode"),
                     FieldPath("volumeBindingMode"), errors);
}

}  // namespace coracle::api::validation
