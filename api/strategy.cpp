#include "api/strategy.hpp"

#include <algorithm>

#include "api/custom_schema.hpp"
#include "api/object.hpp"
#include "api/validate.hpp"

namespace coracle::api {

namespace {

const KindHooks& hooks_of(const ResourceInfo& info, const HookTable& hooks) {
  return hooks.kind(info.group, info.kind);
}

// Members of metadata that only the server writes.
constexpr std::string_view kSystemMetadata[] = {"uid", "creationTimestamp", "deletionTimestamp",
                                                "deletionGracePeriodSeconds", "generation"};

void copy_member(json::object& to, const json::object& from, std::string_view name) {
  if (const json::value* value = find_member(from, name)) {
    to[name] = *value;
  } else {
    erase_key(to, name);
  }
}

bool outside_spec(std::string_view name) {
  return name == "metadata" || name == "status" || name == "apiVersion" || name == "kind";
}

// Whether anything but metadata and status differs.
bool body_differs(const json::object& a, const json::object& b) {
  const auto half = [](const json::object& x, const json::object& y, bool compare) {
    for (const auto& [name, value] : x) {
      if (outside_spec(name)) continue;
      const json::value* other = find_member(y, name);
      if (other == nullptr || (compare && *other != value)) return true;
    }
    return false;
  };
  return half(a, b, true) || half(b, a, false);
}

void keep_only_status(json::object& object, const json::object& old) {
  json::object kept;
  for (const auto& [name, value] : old) {
    if (name != "status" && name != "metadata") kept[name] = value;
  }
  kept["metadata"] = std::move(object["metadata"]);
  copy_member(kept["metadata"].as_object(), get_object(old, "metadata"), "ownerReferences");
  if (json::value* status = find_member(object, "status")) kept["status"] = std::move(*status);
  object = std::move(kept);
}

void keep_only_metadata(json::object& object, const json::object& old) {
  json::value metadata = std::move(object["metadata"]);
  object = old;
  object["metadata"] = std::move(metadata);
}

void merge_errors(FieldErrors structural, FieldErrors& from_hook, FieldErrors& out) {
  for (FieldError& error : structural.list()) {
    const bool covered =
        std::any_of(from_hook.list().begin(), from_hook.list().end(),
                    [&](const FieldError& other) { return other.field == error.field; });
    if (!covered) out.add(std::move(error));
  }
  out.append(std::move(from_hook));
}

bool same_entry(const json::value& a, const json::value& b) {
  const json::object* left = a.if_object();
  const json::object* right = b.if_object();
  if (left == nullptr || right == nullptr || left->size() != right->size()) return false;
  for (const auto& [name, value] : *left) {
    const json::value* other = find_member(*right, name);
    if (other == nullptr || (name != "time" && *other != value)) return false;
  }
  return true;
}

// Times aside, and so their order, which hangs on them.
bool same_managed_fields(const json::value& a, const json::value& b) {
  if (!a.is_array() || !b.is_array() || a.as_array().size() != b.as_array().size()) return false;
  const json::array& left = a.as_array();
  const json::array& right = b.as_array();
  return std::is_permutation(left.begin(), left.end(), right.begin(), same_entry);
}

bool same_metadata(const json::object& a, const json::object& b) {
  const auto half = [](const json::object& x, const json::object& y) {
    for (const auto& [name, value] : x) {
      if (name == "resourceVersion") continue;
      const json::value* other = find_member(y, name);
      if (other == nullptr) return false;
      const bool equal =
          name == "managedFields" ? same_managed_fields(value, *other) : value == *other;
      if (!equal) return false;
    }
    return true;
  };
  return half(a, b) && half(b, a);
}

}  // namespace

void default_object(const ResourceInfo& info, const HookTable& hooks, json::value& object) {
  if (info.custom) return info.custom->set_defaults(object);
  apply_schema_defaults(object, *info.schema);
  const KindHooks& kind = hooks_of(info, hooks);
  if (kind.set_defaults != nullptr && object.is_object()) kind.set_defaults(object.as_object());
}

void prepare_create(const ResourceInfo& info, const HookTable& hooks, json::value& object,
                    const Birth& birth) {
  json::object& members = object.as_object();
  // A kubelet registers its node with the status it has.
  const bool self_reported = info.group.empty() && info.kind == "Node";
  if (info.has_status && !self_reported) {
    erase_key(members, "status");
    const Property* status = info.schema->find("status");
    if (status != nullptr && status->default_value) {
      members["status"] = *status->default_value;
      apply_schema_defaults(members["status"], *status->schema);
    }
  }
  json::object& metadata = metadata_of(object);  // last: it moves when `members` grows
  for (std::string_view name : kSystemMetadata) erase_key(metadata, name);
  erase_key(metadata, "selfLink");
  if (info.has_generation) metadata["generation"] = 1;
  if (!birth.uid.empty()) metadata["uid"] = birth.uid;
  if (!birth.created.empty()) metadata["creationTimestamp"] = birth.created;
  const KindHooks& kind = hooks_of(info, hooks);
  if (kind.prepare_create != nullptr) kind.prepare_create(members);
}

void prepare_update(const ResourceInfo& info, const HookTable& hooks, WriteTarget target,
                    json::value& object, const json::value& old) {
  json::object& metadata = metadata_of(object);
  const json::object& old_metadata = get_object(old, "metadata");
  for (std::string_view name : kSystemMetadata) copy_member(metadata, old_metadata, name);
  if (resource_version_of(object).empty()) copy_member(metadata, old_metadata, "resourceVersion");
  json::object& members = object.as_object();
  const json::object& old_members = old.as_object();
  if (target == WriteTarget::kStatus) {
    keep_only_status(members, old_members);
    return;
  }
  if (target == WriteTarget::kMetadataOnly) {
    keep_only_metadata(members, old_members);
    return;
  }
  if (info.has_status) copy_member(members, old_members, "status");
  const KindHooks& kind = hooks_of(info, hooks);
  if (kind.prepare_update != nullptr) kind.prepare_update(members, old);
  if (!info.has_generation) return;
  // Upstream counts annotations too, for deployments only.
  const bool annotations =
      info.kind == "Deployment" && annotations_of(object) != annotations_of(old);
  if (annotations || body_differs(members, old_members)) {
    metadata_of(object)["generation"] = generation_of(old) + 1;
  }
}

FieldErrors validate_create(const ResourceInfo& info, const HookTable& hooks,
                            const json::value& object) {
  const KindHooks& kind = hooks_of(info, hooks);
  FieldErrors errors;
  validate_metadata(object, info, kind.check_name, errors);
  if (info.custom) {
    info.custom->validate(object, nullptr, errors);
    return errors;
  }
  FieldErrors structural;
  validate_structure(object, *info.schema, StructureRules::kBuiltin, structural);
  FieldErrors from_hook;
  if (kind.validate != nullptr) kind.validate(object, nullptr, from_hook);
  merge_errors(std::move(structural), from_hook, errors);
  return errors;
}

FieldErrors validate_update(const ResourceInfo& info, const HookTable& hooks, WriteTarget target,
                            const json::value& object, const json::value& old) {
  const KindHooks& kind = hooks_of(info, hooks);
  FieldErrors errors;
  validate_metadata_update(object, old, errors);
  if (info.custom) {
    info.custom->validate(object, &old, errors);
    return errors;
  }
  if (target == WriteTarget::kStatus) {
    if (kind.validate_status != nullptr) kind.validate_status(object, old, errors);
    return errors;
  }
  if (target == WriteTarget::kMetadataOnly) return errors;
  FieldErrors structural;
  validate_structure(object, *info.schema, StructureRules::kBuiltin, structural);
  FieldErrors from_hook;
  if (kind.validate != nullptr) kind.validate(object, &old, from_hook);
  merge_errors(std::move(structural), from_hook, errors);
  return errors;
}

bool same_object(const json::value& a, const json::value& b) {
  const json::object* left = a.if_object();
  const json::object* right = b.if_object();
  if (left == nullptr || right == nullptr || left->size() != right->size()) return false;
  for (const auto& [name, value] : *left) {
    const json::value* other = find_member(*right, name);
    if (other == nullptr) return false;
    const bool metadata = name == "metadata" && value.is_object() && other->is_object();
    if (metadata ? !same_metadata(value.as_object(), other->as_object()) : value != *other) {
      return false;
    }
  }
  return true;
}

}  // namespace coracle::api
