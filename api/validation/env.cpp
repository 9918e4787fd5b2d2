#include <algorithm>
#include <string>

#include "api/validation/checks.hpp"
#include "api/validation/pod_parts.hpp"
#include "api/validation/resources.hpp"
#include "base/strings.hpp"

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
  checks::dns_subdomain(text_of(selector, "name"), path.child("name"), errors);
  const std::string_view key = text_of(selector, "key");
  if (key.empty()) {
    errors.required(path.child("key"));
  } else {
    errors.invalid_each(path.child("key"), key, check_config_map_key(key));
  }
}

void file_ref(const json::value& selector, const FieldPath& path, FieldErrors& errors) {
  if (checks::required_text(selector, "key", path, errors)) {
    const std::string_view key = text_of(selector, "key");
    errors.invalid_each(path.child("key"), key, check_env_var_name(key));
  }
  if (checks::required_text(selector, "volumeName", path, errors)) {
    checks::dns_label(text_of(selector, "volumeName"), path.child("volumeName"), errors);
  }
  if (checks::required_text(selector, "path", path, errors)) {
    checks::no_backsteps(text_of(selector, "path"), path.child("path"), errors);
  }
}

// Which units a value may be given in.
void divisor(const json::value& selector, std::string_view name, const FieldPath& path,
             FieldErrors& errors) {
  static const std::vector<std::string_view> kSizes = {
      "1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"};
  const auto amount = resource::amount_of(member(selector, "divisor"));
  if (!amount || amount->is_zero()) {
    return;
  }
  const std::string text = amount->text();
  const std::string_view what = name.substr(name.find('.') + 1);
  if (what == "cpu") {
    if (text != "1m" && text != "1") {
      errors.invalid(path.child("divisor"), name,
                     "only divisor's values 1m and 1 are supported with the cpu resource");
    }
    return;
  }
  const bool known =
      what == "memory" || what == "ephemeral-storage" || what.starts_with("hugepages-");
  if (known && std::find(kSizes.begin(), kSizes.end(), text) == kSizes.end()) {
    const std::string_view called = what == "memory"              ? "memory"
                                    : what == "ephemeral-storage" ? "local ephemeral storage"
                                                                  : "hugepages";
    errors.invalid(path.child("divisor"), name,
                   "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei "
                   "are supported with the " +
                       std::string(called) + " resource");
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
    resource_ref(*ref, false, at.child("resourceFieldRef"), errors);
  }
  for (const std::string_view key : {"configMapKeyRef", "secretKeyRef"}) {
    if (const json::value* ref = member(*source, key)) {
      ++sources;
      key_ref(*ref, at.child(key), errors);
    }
  }
  if (const json::value* ref = member(*source, "fileKeyRef")) {
    ++sources;
    file_ref(*ref, at.child("fileKeyRef"), errors);
  }
  if (sources == 0) {
    errors.invalid(at, "",
                   "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, "
                   "`secretKeyRef` or `fileKeyRef`");
  } else if (!text_of(variable, "value").empty()) {
    errors.invalid(at, "", "may not be specified when `value` is not empty");
  } else if (sources > 1) {
    errors.invalid(at, "", "may not have more than one field specified at a time");
  }
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
        if (checks::required_text(*ref, "name", at.child(key), errors)) {
          checks::dns_subdomain(text_of(*ref, "name"), at.child(key).child("name"), errors);
        }
      }
    }
    // Upstream reports these two at the whole list.
    if (sources == 0) {
      errors.invalid(path.child("envFrom"), "",
                     "must specify one of: `configMapRef` or `secretRef`");
    } else if (sources > 1) {
      errors.invalid(path.child("envFrom"), "",
                     "may not have more than one field specified at a time");
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
  const auto not_known = [&](std::string_view why) {
    errors.invalid(path.child("fieldPath"), field,
                   "error converting fieldPath: " + std::string(why) + ": " + std::string(field));
  };
  const std::size_t open = field.find("['");
  if (open != std::string_view::npos && open > 0 && field.ends_with("']")) {
    const std::string_view map = field.substr(0, open);
    const std::string key(field.substr(open + 2, field.size() - open - 4));
    if (map != "metadata.annotations" && map != "metadata.labels") {
      not_known("field label does not support subscript");
    } else {
      checks::label_name(map == "metadata.labels" ? key : to_lower(key), path, errors);
    }
    return;
  }
  static const std::vector<std::string_view> kKnown = {"metadata.annotations",
                                                       "metadata.labels",
                                                       "metadata.name",
                                                       "metadata.namespace",
                                                       "metadata.uid",
                                                       "spec.nodeName",
                                                       "spec.host",
                                                       "spec.restartPolicy",
                                                       "spec.serviceAccountName",
                                                       "spec.schedulerName",
                                                       "status.phase",
                                                       "status.hostIP",
                                                       "status.hostIPs",
                                                       "status.podIP",
                                                       "status.podIPs"};
  if (std::find(kKnown.begin(), kKnown.end(), field) == kKnown.end()) {
    not_known("field label not supported");
  } else if (field != "spec.host" &&
             std::find(supported.begin(), supported.end(), field) == supported.end()) {
    errors.not_supported(path.child("fieldPath"), field, supported);
  }
}

void resource_ref(const json::value& selector, bool in_volume, const FieldPath& path,
                  FieldErrors& errors) {
  static const std::vector<std::string> kResources = {
      "limits.cpu",   "limits.ephemeral-storage",   "limits.memory",
      "requests.cpu", "requests.ephemeral-storage", "requests.memory"};
  const std::string_view name = text_of(selector, "resource");
  if (in_volume && text_of(selector, "containerName").empty()) {
    errors.required(path.child("containerName"));
  } else if (name.empty()) {
    errors.required(path.child("resource"));
  } else if (!name.starts_with("requests.hugepages-") && !name.starts_with("limits.hugepages-") &&
             std::find(kResources.begin(), kResources.end(), name) == kResources.end()) {
    errors.not_supported(path.child("resource"), name, kResources);
  }
  divisor(selector, name, path, errors);
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
