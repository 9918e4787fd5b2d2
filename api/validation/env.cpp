#include <algorithm>
#include <string>

#include "api/validation/checks.hpp"
#include "api/validation/pod_parts.hpp"

namespace coracle::api::validation {
namespace {

using checks::member;
using checks::text_of;

const std::vector<std::string>& env_fields() {
  static const std::vector<std::string> kFields = {"metadata.name",
                                                   "metadata.namespace",
                                                   "metadata.uid",
                                                   "spec.nodeName",
                                                   "spec.serviceAccountName",
                                                   "status.hostIP",
                                                   "status.hostIPs",
                                                   "status.podIP",
                                                   "status.podIPs"};
  return kFields;
}

void key_ref(const json::value& selector, const FieldPath& path, FieldErrors& errors) {
  const std::string_view name = text_of(selector, "name");
  if (!name.empty()) {
    checks::dns_subdomain(name, path.child("name"), errors);
  }
  const std::string_view key = text_of(selector, "key");
  if (key.empty()) {
    errors.required(path.child("key"));
  } else {
    errors.invalid_each(path.child("key"), checks::text_value(key), check_config_map_key(key));
  }
}

void resource_ref(const json::value& selector, const FieldPath& path, FieldErrors& errors) {
  static const std::vector<std::string> kResources = {
      "limits.cpu",   "limits.ephemeral-storage",   "limits.memory",
      "requests.cpu", "requests.ephemeral-storage", "requests.memory"};
  if (text_of(selector, "resource").empty()) {
    errors.required(path.child("resource"));
  } else if (text_of(selector, "resource").find("hugepages-") == std::string_view::npos) {
    checks::one_of(selector, "resource", path, kResources, errors);
  }
}

void value_from(const json::value& variable, const FieldPath& path, FieldErrors& errors) {
  const json::value* source = member(variable, "valueFrom");
  if (source == nullptr) {
    return;
  }
  const FieldPath at = path.child("valueFrom");
  int sources = 0;
  if (const json::value* ref = member(*source, "fieldRef")) {
    ++sources;
    field_ref(*ref, env_fields(), at.child("fieldRef"), errors);
  }
  if (const json::value* ref = member(*source, "resourceFieldRef")) {
    ++sources;
    resource_ref(*ref, at.child("resourceFieldRef"), errors);
  }
  for (const std::string_view key : {"configMapKeyRef", "secretKeyRef"}) {
    if (const json::value* ref = member(*source, key)) {
      ++sources;
      key_ref(*ref, at.child(key), errors);
    }
  }
  if (sources == 0) {
    errors.invalid(at, "",
                   "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or "
                   "`secretKeyRef`");
  } else if (!text_of(variable, "value").empty()) {
    errors.invalid(at, "", "may not be specified when `value` is not empty");
  } else if (sources > 1) {
    errors.invalid(at, "", "may not have more than one field specified at a time");
  }
}

// metadata.labels['x'] and metadata.annotations['x'].
bool is_subscripted(std::string_view path) {
  return (path.starts_with("metadata.labels['") || path.starts_with("metadata.annotations['")) &&
         path.ends_with("']");
}

void env_from(const json::value& container, const FieldPath& path, FieldErrors& errors) {
  std::size_t index = 0;
  for (const json::value& source : get_array(container, "envFrom")) {
    const FieldPath at = path.child("envFrom").index(index++);
    if (const std::string_view prefix = text_of(source, "prefix"); !prefix.empty()) {
      errors.invalid_each(at.child("prefix"), checks::text_value(prefix),
                          check_env_var_name(prefix));
    }
    int sources = 0;
    for (const std::string_view key : {"configMapRef", "secretRef"}) {
      if (const json::value* ref = member(source, key)) {
        ++sources;
        checks::required_text(*ref, "name", at.child(key), errors);
      }
    }
    if (sources == 0) {
      errors.invalid(at, "", "must specify one of: `configMapRef` or `secretRef`");
    } else if (sources > 1) {
      errors.invalid(at, "", "may not have more than one field specified at a time");
    }
  }
}

}  // namespace

void field_ref(const json::value& selector, const std::vector<std::string>& supported,
               const FieldPath& path, FieldErrors& errors) {
  if (!checks::required_text(selector, "apiVersion", path, errors) ||
      !checks::required_text(selector, "fieldPath", path, errors)) {
    return;
  }
  const std::string_view field = text_of(selector, "fieldPath");
  if (!is_subscripted(field) &&
      std::find(supported.begin(), supported.end(), field) == supported.end()) {
    errors.not_supported(path.child("fieldPath"), checks::text_value(field), supported);
  }
}

void environment(const json::value& container, const FieldPath& path, FieldErrors& errors) {
  std::size_t index = 0;
  for (const json::value& variable : get_array(container, "env")) {
    const FieldPath at = path.child("env").index(index++);
    const std::string_view name = text_of(variable, "name");
    if (name.empty()) {
      errors.required(at.child("name"));
    } else {
      errors.invalid_each(at.child("name"), checks::text_value(name), check_env_var_name(name));
    }
    value_from(variable, at, errors);
  }
  env_from(container, path, errors);
}

}  // namespace coracle::api::validation
