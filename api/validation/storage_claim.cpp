// PersistentVolumeClaim, and what StorageClass checks.
#include <string>

#include "api/validation/checks.hpp"
#include "api/validation/go_structs.hpp"
#include "api/validation/pod_parts.hpp"
#include "api/validation/resources.hpp"
#include "api/validation/storage_parts.hpp"
#include "api/validation/validation.hpp"

namespace coracle::api::validation {
namespace {

using checks::member;
using checks::text_of;

constexpr std::string_view kClassAnnotation = "volume.beta.kubernetes.io/storage-class";

void data_source(const json::value& source, const FieldPath& path, FieldErrors& errors) {
  checks::required_text(source, "name", path, errors);
  checks::required_text(source, "kind", path, errors);
  const std::string_view group = text_of(source, "apiGroup");
  if (group.empty() && text_of(source, "kind") != "PersistentVolumeClaim") {
    errors.invalid(path, text_of(source, "kind"),
                   "must be 'PersistentVolumeClaim' when referencing the default apiGroup");
  }
  if (!group.empty()) {
    checks::dns_subdomain(group, path.child("apiGroup"), errors);
  }
  if (const std::string_view space = text_of(source, "namespace"); !space.empty()) {
    checks::dns_label(space, path.child("namespace"), errors);
  }
}

void data_sources(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  const json::value* plain = member(spec, "dataSource");
  const json::value* reference = member(spec, "dataSourceRef");
  if (plain != nullptr) {
    data_source(*plain, path.child("dataSource"), errors);
  }
  if (reference != nullptr) {
    data_source(*reference, path.child("dataSourceRef"), errors);
  }
  if (plain == nullptr || reference == nullptr) {
    return;
  }
  const json::object shown;  // a path, which upstream prints as an empty struct
  if (!text_of(*reference, "namespace").empty()) {
    errors.invalid(path, shown, "may not be specified when dataSourceRef.namespace is specified");
    return;
  }
  for (const std::string_view key : {"apiGroup", "kind", "name"}) {
    if (text_of(*plain, key) != text_of(*reference, key)) {
      errors.invalid(path, shown, "must match dataSourceRef");
      return;
    }
  }
}

const json::value* requested(const json::value& claim_spec) {
  return find(claim_spec, "resources.requests.storage");
}

// A claim without a class may be given one once.
bool class_was_added(const json::value& old, const json::value& spec, const json::value& before) {
  const json::value* name = member(spec, "storageClassName");
  if (name == nullptr || member(before, "storageClassName") != nullptr) {
    return false;
  }
  const std::string_view annotation = annotation_of(old, kClassAnnotation);
  return annotation.empty() || annotation == text_of(spec, "storageClassName");
}

// What may still change is taken out of both sides.
void immutable_spec(const json::value& claim, const json::value& old, FieldErrors& errors) {
  json::value now = checks::value_or_null(member(claim, "spec"));
  json::value before = checks::value_or_null(member(old, "spec"));
  const bool bound = get_string(claim, "status.phase") == "Bound";
  const bool class_added = class_was_added(old, now, before);
  const bool volume_given = text_of(before, "volumeName").empty();
  // Upstream compares, and shows, the new spec with these as they were.
  const auto as_before = [&](json::value& spec, std::string_view key) {
    json::object* members = spec.if_object();
    if (members == nullptr) return;
    const json::value* was = member(before, key);
    if (was == nullptr) {
      erase_key(*members, key);
    } else {
      (*members)[key] = *was;
    }
  };
  if (bound) {
    as_before(now, "volumeAttributesClassName");
    const json::value* size = requested(before);
    if (size != nullptr && find(now, "resources.requests") != nullptr) {
      make_object(now, "resources.requests")["storage"] = *size;
    }
  }
  if (class_added) as_before(now, "storageClassName");
  if (volume_given && member(now, "volumeName") != nullptr && before.is_object()) {
    before.get_object()["volumeName"] = *member(now, "volumeName");
  }
  if (!checks::same(&now, &before)) {
    errors.forbidden(FieldPath("spec"),
                     "spec is immutable after creation except resources.requests and "
                     "volumeAttributesClassName for bound claims" +
                         changed_spec(before, now, "PersistentVolumeClaimSpec"));
  }
}

void sizes(const json::value& claim, const json::value& old, FieldErrors& errors) {
  const auto now = resource::amount_of(find(claim, "spec.resources.requests.storage"));
  const auto before = resource::amount_of(find(old, "spec.resources.requests.storage"));
  const auto real = resource::amount_of(find(old, "status.capacity.storage"));
  if (now && before && *now < *before && *now <= real.value_or(Quantity())) {
    errors.forbidden(FieldPath("spec").child("resources").child("requests").child("storage"),
                     "field can not be less than status.capacity");
  }
}

}  // namespace

void claim_spec(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  if (get_array(spec, "accessModes").empty()) {
    errors.required(path.child("accessModes"), "at least 1 access mode is required");
  }
  validate_label_selector(member(spec, "selector"), path.child("selector"), errors);
  access_modes(spec, path, errors);
  const FieldPath size_path = path.child("resources").key("storage");
  const auto size = resource::amount_of(requested(spec));
  if (!size) {
    errors.required(size_path);
  } else {
    resource::positive(*size, size_path, errors);
  }
  for (const std::string_view key : {"storageClassName", "volumeAttributesClassName"}) {
    if (key == "volumeAttributesClassName") {
      checks::one_of_if_set(spec, "volumeMode", path, {"Block", "Filesystem"}, errors);
      data_sources(spec, path, errors);
    }
    if (const std::string_view name = text_of(spec, key); !name.empty()) {
      checks::dns_subdomain(name, path.child(key), errors);
    }
  }
}

void claim_template(const json::value& claim, const FieldPath& path, FieldErrors& errors) {
  static const json::value kNothing = json::object();
  const FieldPath metadata = path.child("metadata");
  validate_annotations(find(claim, "metadata.annotations"), metadata.child("annotations"), errors);
  validate_labels(find(claim, "metadata.labels"), metadata.child("labels"), errors);
  for (const std::string_view key :
       {"name", "generateName", "namespace", "uid", "ownerReferences", "finalizers"}) {
    if (!checks::is_empty(find_keys(claim, {"metadata", key}))) {
      errors.forbidden(metadata.child(key == "uid" ? "uID" : key), "cannot be set");
    }
  }
  const json::value* spec = member(claim, "spec");
  claim_spec(spec == nullptr ? kNothing : *spec, path.child("spec"), errors);
}

void persistent_volume_claim(const json::value& object, const json::value* old,
                             FieldErrors& errors) {
  static const json::value kNothing = json::object();
  const json::value* spec = member(object, "spec");
  claim_spec(spec == nullptr ? kNothing : *spec, FieldPath("spec"), errors);
  if (old == nullptr) {
    return;
  }
  immutable_spec(object, *old, errors);
  sizes(object, *old, errors);
  validate_immutable(find(object, "spec.volumeMode"), find(*old, "spec.volumeMode"),
                     FieldPath("volumeMode"), errors);
  if (find(*old, "status.currentVolumeAttributesClassName") != nullptr &&
      text_of(spec == nullptr ? kNothing : *spec, "volumeAttributesClassName").empty()) {
    const bool gone = find(object, "spec.volumeAttributesClassName") == nullptr;
    errors.forbidden(
        FieldPath("spec").child("volumeAttributesClassName"),
        gone ? "update to nil is forbidden when status.currentVolumeAttributesClassName "
               "is not nil"
             : "update to empty string is forbidden when "
               "status.currentVolumeAttributesClassName is not nil");
  }
}

}  // namespace coracle::api::validation
