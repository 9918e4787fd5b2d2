#include "api/object.hpp"

#include <algorithm>

namespace coracle::api {

namespace {

std::string_view top_text(const json::value& object, std::string_view key) {
  const json::value* v = find_member(object, key);
  const json::string* s = v ? v->if_string() : nullptr;
  return s ? std::string_view(*s) : std::string_view();
}

const json::value* metadata_member(const json::value& object, std::string_view key) {
  return find_keys(object, {"metadata", key});
}

std::string_view metadata_text(const json::value& object, std::string_view key) {
  const json::value* v = metadata_member(object, key);
  const json::string* s = v ? v->if_string() : nullptr;
  return s ? std::string_view(*s) : std::string_view();
}

const json::object& metadata_object(const json::value& object, std::string_view key) {
  static const json::object kEmpty;
  const json::value* v = metadata_member(object, key);
  const json::object* o = v ? v->if_object() : nullptr;
  return o ? *o : kEmpty;
}

const json::array& metadata_array(const json::value& object, std::string_view key) {
  static const json::array kEmpty;
  const json::value* v = metadata_member(object, key);
  const json::array* a = v ? v->if_array() : nullptr;
  return a ? *a : kEmpty;
}

std::string_view member_text(const json::object& object, std::string_view key) {
  const json::value* v = find_member(object, key);
  const json::string* s = v ? v->if_string() : nullptr;
  return s ? std::string_view(*s) : std::string_view();
}

}  // namespace

GroupVersion split_api_version(std::string_view api_version) {
  const std::size_t slash = api_version.find('/');
  if (slash == std::string_view::npos) return {{}, api_version};
  const std::string_view version = api_version.substr(slash + 1);
  if (version.find('/') != std::string_view::npos) return {};
  return {api_version.substr(0, slash), version};
}

std::string join_api_version(std::string_view group, std::string_view version) {
  if (group.empty()) return std::string(version);
  return std::string(group) + "/" + std::string(version);
}

std::string_view api_version_of(const json::value& o) { return top_text(o, "apiVersion"); }
std::string_view kind_of(const json::value& o) { return top_text(o, "kind"); }
std::string_view name_of(const json::value& o) { return metadata_text(o, "name"); }
std::string_view namespace_of(const json::value& o) { return metadata_text(o, "namespace"); }
std::string_view uid_of(const json::value& o) { return metadata_text(o, "uid"); }
std::string_view generate_name_of(const json::value& o) { return metadata_text(o, "generateName"); }
std::string_view resource_version_of(const json::value& o) {
  return metadata_text(o, "resourceVersion");
}
std::string_view creation_timestamp_of(const json::value& o) {
  return metadata_text(o, "creationTimestamp");
}
std::string_view deletion_timestamp_of(const json::value& o) {
  return metadata_text(o, "deletionTimestamp");
}

std::int64_t generation_of(const json::value& object) {
  const json::value* v = metadata_member(object, "generation");
  if (v == nullptr) return 0;
  if (const auto* i = v->if_int64()) return *i;
  if (const auto* u = v->if_uint64()) return static_cast<std::int64_t>(*u);
  return 0;
}

const json::object& labels_of(const json::value& o) { return metadata_object(o, "labels"); }
const json::object& annotations_of(const json::value& o) {
  return metadata_object(o, "annotations");
}
std::string_view label_of(const json::value& o, std::string_view key) {
  return member_text(labels_of(o), key);
}
std::string_view annotation_of(const json::value& o, std::string_view key) {
  return member_text(annotations_of(o), key);
}
const json::array& owner_references_of(const json::value& o) {
  return metadata_array(o, "ownerReferences");
}
const json::array& finalizers_of(const json::value& o) { return metadata_array(o, "finalizers"); }

bool has_finalizer(const json::value& object, std::string_view finalizer) {
  const json::array& list = finalizers_of(object);
  return std::any_of(list.begin(), list.end(), [&](const json::value& v) {
    return v.is_string() && std::string_view(v.as_string()) == finalizer;
  });
}

json::object& metadata_of(json::value& object) { return make_object(object, "metadata"); }

void set_label(json::value& object, std::string_view key, std::string_view value) {
  make_object(object, "metadata.labels")[key] = value;
}

void set_annotation(json::value& object, std::string_view key, std::string_view value) {
  make_object(object, "metadata.annotations")[key] = value;
}

bool add_finalizer(json::value& object, std::string_view finalizer) {
  if (has_finalizer(object, finalizer)) return false;
  json::value& list = metadata_of(object)["finalizers"];
  if (!list.is_array()) list.emplace_array();
  list.as_array().emplace_back(finalizer);
  return true;
}

bool remove_finalizer(json::value& object, std::string_view finalizer) {
  if (!has_finalizer(object, finalizer)) return false;
  json::object& metadata = metadata_of(object);
  json::array& list = metadata["finalizers"].as_array();
  for (auto it = list.begin(); it != list.end();) {
    const bool hit = it->is_string() && std::string_view(it->as_string()) == finalizer;
    it = hit ? list.erase(it) : it + 1;
  }
  if (list.empty()) erase_key(metadata, "finalizers");
  return true;
}

bool remove_annotation(json::value& object, std::string_view key) {
  if (!annotations_of(object).contains(key)) return false;
  json::object& metadata = metadata_of(object);
  json::object& annotations = metadata["annotations"].as_object();
  erase_key(annotations, key);
  if (annotations.empty()) erase_key(metadata, "annotations");
  return true;
}

json::object owner_reference(const json::value& owner) {
  json::object reference;
  reference["apiVersion"] = api_version_of(owner);
  reference["kind"] = kind_of(owner);
  reference["name"] = name_of(owner);
  reference["uid"] = uid_of(owner);
  return reference;
}

json::object controller_reference(const json::value& owner) {
  json::object reference = owner_reference(owner);
  reference["controller"] = true;
  reference["blockOwnerDeletion"] = true;
  return reference;
}

const json::value* controller_of(const json::value& object) {
  for (const json::value& reference : owner_references_of(object)) {
    if (get_bool(reference, "controller")) return &reference;
  }
  return nullptr;
}

bool is_owned_by(const json::value& object, std::string_view uid) {
  const json::array& list = owner_references_of(object);
  return std::any_of(list.begin(), list.end(),
                     [&](const json::value& v) { return get_string(v, "uid") == uid; });
}

}  // namespace coracle::api
