#include <array>
#include <string>

#include "api/columns/cells.hpp"
#include "api/columns/columns.hpp"
#include "api/object.hpp"
#include "base/strings.hpp"

namespace coracle::api {
namespace {

// "RWO,ROX", each mode once, in this order whatever the order in the object.
std::string access_modes(const json::value& object, std::string_view path) {
  constexpr std::array<std::array<std::string_view, 2>, 4> kModes = {{
      {"ReadWriteOnce", "RWO"},
      {"ReadOnlyMany", "ROX"},
      {"ReadWriteMany", "RWX"},
      {"ReadWriteOncePod", "RWOP"},
  }};
  std::vector<std::string> parts;
  for (const auto& [mode, code] : kModes) {
    for (const json::value& present : get_array(object, path)) {
      if (present.is_string() && present.get_string() == mode) {
        parts.emplace_back(code);
        break;
      }
    }
  }
  return join(parts, ",");
}

std::string phase(const json::value& object) {
  return std::string(deletion_timestamp_of(object).empty() ? get_string(object, "status.phase")
                                                           : "Terminating");
}

json::value pv_capacity(const json::value& pv, WallTime) {
  return cells::text(cells::scalar_text(find(pv, "spec.capacity.storage")));
}

json::value pv_access_modes(const json::value& pv, WallTime) {
  return cells::text(access_modes(pv, "spec.accessModes"));
}

json::value status(const json::value& object, WallTime) { return cells::text(phase(object)); }

json::value pv_claim(const json::value& pv, WallTime) {
  const json::value* claim = find(pv, "spec.claimRef");
  if (claim == nullptr) {
    return cells::text("");
  }
  return cells::text(std::string(get_string(*claim, "namespace")) + "/" +
                     std::string(get_string(*claim, "name")));
}

json::value storage_class(const json::value& object, WallTime) {
  const auto old = annotation_of(object, "volume.beta.kubernetes.io/storage-class");
  return cells::text(old.empty() ? get_string(object, "spec.storageClassName") : old);
}

json::value attributes_class(const json::value& object, WallTime) {
  return cells::string_at(object, "spec.volumeAttributesClassName", cells::kUnset);
}

json::value volume_mode(const json::value& object, WallTime) {
  return cells::string_at(object, "spec.volumeMode", cells::kUnset);
}

json::value pv_reason(const json::value& pv, WallTime) {
  return cells::text(get_string(pv, "status.reason"));
}

json::value pvc_volume(const json::value& pvc, WallTime) {
  return cells::text(get_string(pvc, "spec.volumeName"));
}

// Size and modes of a claim are shown only once it has a volume.
json::value pvc_capacity(const json::value& pvc, WallTime) {
  const bool bound = !get_string(pvc, "spec.volumeName").empty();
  return cells::text(bound ? cells::scalar_text(find(pvc, "status.capacity.storage")) : "");
}

json::value pvc_access_modes(const json::value& pvc, WallTime) {
  const bool bound = !get_string(pvc, "spec.volumeName").empty();
  return cells::text(bound ? access_modes(pvc, "status.accessModes") : "");
}

json::value class_name(const json::value& object, WallTime) {
  std::string name(name_of(object));
  for (const char* mark : {"storageclass.kubernetes.io/is-default-class",
                           "storageclass.beta.kubernetes.io/is-default-class"}) {
    if (annotation_of(object, mark) == "true") return cells::text(name + " (default)");
  }
  return cells::text(name);
}

json::value allow_expansion(const json::value& object, WallTime) {
  return get_bool(object, "allowVolumeExpansion");
}

json::value csi_drivers(const json::value& object, WallTime) {
  return static_cast<std::int64_t>(get_array(object, "spec.drivers").size());
}

json::value csi_token_requests(const json::value& object, WallTime) {
  return cells::text_or(cells::join_members(object, "spec.tokenRequests", "audience"),
                        cells::kUnset);
}

json::value csi_modes(const json::value& object, WallTime) {
  std::vector<std::string> modes;
  for (const json::value& mode : get_array(object, "spec.volumeLifecycleModes")) {
    modes.push_back(cells::scalar_text(&mode));
  }
  return cells::text_or(join(modes, ","), cells::kUnset);
}

constexpr ColumnHook kColumns[] = {
    {"pv.capacity", pv_capacity},
    {"pv.accessModes", pv_access_modes},
    {"pv.status", status},
    {"pv.claim", pv_claim},
    {"pv.storageClass", storage_class},
    {"pv.attributesClass", attributes_class},
    {"pv.volumeMode", volume_mode},
    {"pv.reason", pv_reason},
    {"pvc.status", status},
    {"pvc.volume", pvc_volume},
    {"pvc.capacity", pvc_capacity},
    {"pvc.accessModes", pvc_access_modes},
    {"storageclass.name", class_name},
    {"storageclass.allowExpansion", allow_expansion},
    {"csinode.drivers", csi_drivers},
    {"csidriver.tokenRequests", csi_token_requests},
    {"csidriver.modes", csi_modes},
};

}  // namespace

std::span<const ColumnHook> storage_columns() { return kColumns; }

}  // namespace coracle::api
