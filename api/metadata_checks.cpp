// The checks of validate.hpp that hold for the metadata of every kind, and those hooks share.
#include <algorithm>

#include "api/object.hpp"
#include "api/validate.hpp"
#include "base/strings.hpp"

namespace coracle::api {

namespace {

constexpr int kMaxAnnotationBytes = 256 * 1024;

const json::value* member(const json::value& object, std::string_view name) {
  return find_keys(object, {"metadata", name});
}

// As upstream: the dash before the random part may end the prefix.
std::string mask_trailing_dash(std::string_view prefix) {
  std::string text(prefix);
  if (text.size() > 1 && text.back() == '-') {
    text.pop_back();
    text.back() = 'a';
  }
  return text;
}

void check_owner(const json::value& reference, const FieldPath& path, FieldErrors& errors) {
  const std::string_view api_version = get_string(reference, "apiVersion");
  if (split_api_version(api_version).version.empty()) {
    errors.invalid(path.child("apiVersion"), api_version, "version must not be empty");
  }
  for (std::string_view name : {"kind", "name", "uid"}) {
    if (get_string(reference, name).empty()) {
      errors.invalid(path.child(name), "", "must not be empty");
    }
  }
  if (api_version == "v1" && get_string(reference, "kind") == "Event") {
    errors.invalid(path, reference, "/v1, Kind=Event is disallowed from being an owner");
  }
}

void check_owners(const json::value& object, const FieldPath& path, FieldErrors& errors) {
  const json::array& list = owner_references_of(object);
  std::string controller;
  for (std::size_t i = 0; i < list.size(); ++i) {
    check_owner(list[i], path, errors);  // upstream names no index
    if (!get_bool(list[i], "controller")) continue;
    const std::string name =
        std::string(get_string(list[i], "kind")) + "/" + std::string(get_string(list[i], "name"));
    if (controller.empty()) {
      controller = name;
    } else {
      errors.invalid(path, list,
                     "Only one reference can have Controller set to true. Found \"true\" in "
                     "references for " +
                         controller + " and " + name);
    }
  }
}

void check_finalizers(const json::value& object, const FieldPath& path, FieldErrors& errors) {
  for (const json::value& finalizer : finalizers_of(object)) {
    if (!finalizer.is_string()) continue;
    errors.invalid_each(path, finalizer, check_qualified_name(finalizer.as_string()));
  }
  if (has_finalizer(object, "orphan") && has_finalizer(object, "foregroundDeletion")) {
    errors.invalid(path, finalizers_of(object),
                   "finalizer orphan and foregroundDeletion cannot be both set");
  }
}

void check_common(const json::value& object, const FieldPath& path, FieldErrors& errors) {
  validate_labels(member(object, "labels"), path.child("labels"), errors);
  validate_annotations(member(object, "annotations"), path.child("annotations"), errors);
  check_owners(object, path.child("ownerReferences"), errors);
}

bool is_blank(const json::value* v) {
  if (v == nullptr || v->is_null()) return true;
  if (v->is_string()) return v->as_string().empty();
  if (v->is_array()) return v->as_array().empty();
  return v->is_object() && v->as_object().empty();
}

}  // namespace

void validate_labels(const json::value* labels, const FieldPath& path, FieldErrors& errors) {
  const json::object* map = labels ? labels->if_object() : nullptr;
  if (map == nullptr) return;
  for (const auto& [key, value] : *map) {
    errors.invalid_each(path, std::string_view(key), check_qualified_name(key));
    if (value.is_string()) {
      errors.invalid_each(path, value, check_label_value(value.as_string()));
    }
  }
}

void validate_annotations(const json::value* annotations, const FieldPath& path,
                          FieldErrors& errors) {
  const json::object* map = annotations ? annotations->if_object() : nullptr;
  if (map == nullptr) return;
  std::size_t bytes = 0;
  for (const auto& [key, value] : *map) {
    errors.invalid_each(path, std::string_view(key), check_qualified_name(to_lower(key)));
    bytes += key.size() + (value.is_string() ? value.as_string().size() : 0);
  }
  if (bytes > kMaxAnnotationBytes) errors.too_long(path, kMaxAnnotationBytes);
}

void validate_metadata(const json::value& object, const ResourceInfo& info, NameCheck check_name,
                       FieldErrors& errors) {
  const FieldPath path("metadata");
  if (check_name == nullptr) check_name = check_dns1123_subdomain;
  const std::string_view generate_name = generate_name_of(object);
  if (!generate_name.empty()) {
    errors.invalid_each(path.child("generateName"), generate_name,
                        check_name(mask_trailing_dash(generate_name)));
  }
  const std::string_view name = name_of(object);
  if (name.empty()) {
    errors.required(path.child("name"), "name or generateName is required");
  } else {
    errors.invalid_each(path.child("name"), name, check_name(name));
  }
  const std::string_view ns = namespace_of(object);
  if (!info.namespaced) {
    if (!ns.empty()) errors.forbidden(path.child("namespace"), "not allowed on this type");
  } else if (ns.empty()) {
    errors.required(path.child("namespace"));
  } else {
    errors.invalid_each(path.child("namespace"), ns, check_dns1123_label(ns));
  }
  if (generation_of(object) < 0) {
    errors.invalid(path.child("generation"), generation_of(object),
                   "must be greater than or equal to 0");
  }
  check_common(object, path, errors);
  check_finalizers(object, path.child("finalizers"), errors);
}

void validate_metadata_update(const json::value& object, const json::value& old,
                              FieldErrors& errors) {
  const FieldPath path("metadata");
  if (!deletion_timestamp_of(old).empty()) {
    std::vector<std::string> extra;
    for (const json::value& v : finalizers_of(object)) {
      if (v.is_string() && !has_finalizer(old, v.as_string())) extra.emplace_back(v.as_string());
    }
    std::sort(extra.begin(), extra.end());
    std::vector<std::string> texts;
    for (const std::string& name : extra) texts.push_back(quoted(name));
    if (!extra.empty()) {
      errors.forbidden(path.child("finalizers"),
                       "no new finalizers can be added if the object is being deleted, found new "
                       "finalizers []string{" +
                           join(texts, ", ") + "}");
    }
  }
  if (resource_version_of(object).empty()) {
    errors.invalid(path.child("resourceVersion"), "", "must be specified for an update");
  }
  if (generation_of(object) < generation_of(old)) {
    errors.invalid(path.child("generation"), generation_of(object), "must not be decremented");
  }
  for (std::string_view name : {"name", "namespace", "uid", "creationTimestamp",
                                "deletionTimestamp", "deletionGracePeriodSeconds"}) {
    validate_immutable(member(object, name), member(old, name), path.child(name), errors);
  }
  check_common(object, path, errors);
}

void validate_label_selector(const json::value* selector, const FieldPath& path,
                             FieldErrors& errors) {
  if (selector == nullptr || !selector->is_object()) return;
  validate_labels(find_keys(*selector, {"matchLabels"}), path.child("matchLabels"), errors);
  const json::array& expressions = get_array(*selector, "matchExpressions");
  for (std::size_t i = 0; i < expressions.size(); ++i) {
    const json::value& expression = expressions[i];
    const FieldPath here = path.child("matchExpressions").index(i);
    const std::string_view op = get_string(expression, "operator");
    const json::array& values = get_array(expression, "values");
    if (op == "In" || op == "NotIn") {
      if (values.empty()) {
        errors.required(here.child("values"),
                        "must be specified when `operator` is 'In' or 'NotIn'");
      }
    } else if (op == "Exists" || op == "DoesNotExist") {
      if (!values.empty()) {
        errors.forbidden(here.child("values"),
                         "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
      }
    } else {
      errors.invalid(here.child("operator"), op, "not a valid selector operator");
    }
    const std::string_view key = get_string(expression, "key");
    errors.invalid_each(here.child("key"), key, check_qualified_name(key));
    for (std::size_t j = 0; j < values.size(); ++j) {
      if (!values[j].is_string()) continue;
      errors.invalid_each(here.child("values").index(j), values[j],
                          check_label_value(values[j].as_string()));
    }
  }
}

void validate_immutable(const json::value* now, const json::value* old, const FieldPath& path,
                        FieldErrors& errors) {
  if (is_blank(now) && is_blank(old)) return;
  if (now != nullptr && old != nullptr && *now == *old) return;
  errors.invalid(path, now ? *now : json::value(""), "field is immutable");
}

void validate_non_negative(const json::value* value, const FieldPath& path, FieldErrors& errors) {
  if (value == nullptr || !value->is_int64() || value->as_int64() >= 0) return;
  errors.invalid(path, *value, "must be greater than or equal to 0");
}

}  // namespace coracle::api
