// What a container mounts, and the raw devices it gets.
#include <set>
#include <string>

#include "api/validation/checks.hpp"
#include "api/validation/pod_parts.hpp"

namespace coracle::api::validation {
namespace {

using checks::member;
using checks::text_of;

bool any_has(const json::array& list, std::string_view key, std::string_view text) {
  for (const json::value& entry : list) {
    if (text_of(entry, key) == text) {
      return true;
    }
  }
  return false;
}

// Upstream reports these at the list, without the index: {at}.
void propagation(const json::value& mount, const json::value& container, const FieldPath& at,
                 FieldErrors& errors) {
  const json::value* mode = member(mount, "mountPropagation");
  if (mode == nullptr) {
    return;
  }
  checks::one_of_if_set(mount, "mountPropagation", at, {"Bidirectional", "HostToContainer", "None"},
                        errors);
  if (text_of(mount, "mountPropagation") == "Bidirectional" &&
      !get_bool(container, "securityContext.privileged")) {
    errors.forbidden(at.child("mountPropagation"),
                     "Bidirectional mount propagation is available only to privileged containers");
  }
}

void recursive_read_only(const json::value& mount, const FieldPath& at, FieldErrors& errors) {
  const json::value* mode = member(mount, "recursiveReadOnly");
  if (mode == nullptr) {
    return;
  }
  const std::string_view text = text_of(mount, "recursiveReadOnly");
  const FieldPath here = at.child("recursiveReadOnly");
  if (text == "Enabled" || text == "IfPossible") {
    if (!get_bool(mount, "readOnly")) {
      errors.forbidden(here, "may only be specified when readOnly is true");
    }
    const std::string_view propagation = text_of(mount, "mountPropagation");
    if (!propagation.empty() && propagation != "None") {
      errors.forbidden(here,
                       "may only be specified when mountPropagation is None or not specified");
    }
  } else if (text != "Disabled") {
    errors.not_supported(here, *mode, {"Disabled", "Enabled", "IfPossible"});
  }
}

void sub_paths(const json::value& mount, const FieldPath& list, const FieldPath& at,
               FieldErrors& errors) {
  const std::string_view sub_path = text_of(mount, "subPath");
  const std::string_view expression = text_of(mount, "subPathExpr");
  if (!sub_path.empty()) {
    checks::descending_path(sub_path, list.child("subPath"), errors);
  }
  if (!expression.empty()) {
    if (!sub_path.empty()) {
      errors.invalid(at.child("subPathExpr"), expression,
                     "subPathExpr and subPath are mutually exclusive");
    }
    checks::descending_path(expression, list.child("subPathExpr"), errors);
  }
}

}  // namespace

void volume_mounts(const json::value& container, const Volumes& volumes, const FieldPath& path,
                   FieldErrors& errors) {
  std::set<std::string, std::less<>> mount_points;
  const json::array& devices = get_array(container, "volumeDevices");
  const FieldPath list = path.child("volumeMounts");
  std::size_t index = 0;
  for (const json::value& mount : get_array(container, "volumeMounts")) {
    const FieldPath at = list.index(index++);
    const std::string_view name = text_of(mount, "name");
    if (name.empty()) {
      errors.required(at.child("name"));
    }
    if (volumes.find(name) == volumes.end()) {
      errors.not_found(at.child("name"), name);
    }
    const std::string_view mount_path = text_of(mount, "mountPath");
    if (mount_path.empty()) {
      errors.required(at.child("mountPath"));
    }
    if (!mount_points.emplace(mount_path).second) {
      errors.invalid(at.child("mountPath"), mount_path, "must be unique");
    }
    if (any_has(devices, "name", name)) {
      errors.invalid(at.child("name"), name, "must not already exist in volumeDevices");
    }
    if (any_has(devices, "devicePath", mount_path)) {
      errors.invalid(at.child("mountPath"), mount_path,
                     "must not already exist as a path in volumeDevices");
    }
    sub_paths(mount, list, at, errors);
    propagation(mount, container, list, errors);
    recursive_read_only(mount, list, errors);
  }
}

void volume_devices(const json::value& container, const Volumes& volumes, const FieldPath& path,
                    FieldErrors& errors) {
  std::set<std::string, std::less<>> names;
  std::set<std::string, std::less<>> paths;
  const json::array& mounts = get_array(container, "volumeMounts");
  std::size_t index = 0;
  for (const json::value& device : get_array(container, "volumeDevices")) {
    const FieldPath at = path.child("volumeDevices").index(index++);
    const std::string_view name = text_of(device, "name");
    const std::string_view device_path = text_of(device, "devicePath");
    if (name.empty()) {
      errors.required(at.child("name"));
    }
    if (names.contains(name)) {
      errors.invalid(at.child("name"), name, "must be unique");
    }
    const auto volume = volumes.find(name);
    if (volume == volumes.end()) {
      errors.not_found(at.child("name"), name);
    } else if (member(*volume->second, "persistentVolumeClaim") == nullptr &&
               member(*volume->second, "ephemeral") == nullptr) {
      errors.invalid(at.child("name"), name,
                     "can only use volume source type of PersistentVolumeClaim or Ephemeral for "
                     "block mode");
    }
    if (device_path.empty()) {
      errors.required(at.child("devicePath"));
    }
    if (!paths.emplace(device_path).second) {
      errors.invalid(at.child("devicePath"), device_path, "must be unique");
    }
    if (checks::has_backsteps(device_path)) {
      errors.invalid(at.child("devicePath"), device_path, "can not contain backsteps ('..')");
    }
    if (any_has(mounts, "name", name)) {
      errors.invalid(at.child("name"), name, "must not already exist in volumeMounts");
    }
    if (any_has(mounts, "mountPath", device_path)) {
      errors.invalid(at.child("devicePath"), device_path,
                     "must not already exist as a path in volumeMounts");
    }
    names.emplace(name);
  }
}

}  // namespace coracle::api::validation
