#include "api/volume_match.hpp"

#include <algorithm>
#include <tuple>

#include "api/object.hpp"
#include "api/selectors.hpp"

namespace coracle::api {
namespace {

constexpr char kOldClass[] = "volume.beta.kubernetes.io/storage-class";
constexpr char kDefaultClass[] = "storageclass.kubernetes.io/is-default-class";
constexpr char kOldDefaultClass[] = "storageclass.beta.kubernetes.io/is-default-class";

Quantity amount(const json::value& object, std::string_view path) {
  const auto parsed = Quantity::parse(get_string(object, path, "0"));
  return parsed.ok() ? *parsed : Quantity();
}

std::string_view mode_of(const json::value& object) {
  return get_string(object, "spec.volumeMode", "Filesystem");
}

bool covers_access_modes(const json::value& volume, const json::value& claim) {
  const json::array& offered = get_array(volume, "spec.accessModes");
  const json::array& asked = get_array(claim, "spec.accessModes");
  return std::all_of(asked.begin(), asked.end(), [&](const json::value& mode) {
    return std::find(offered.begin(), offered.end(), mode) != offered.end();
  });
}

bool is_default_class(const json::value& storage_class) {
  return annotation_of(storage_class, kDefaultClass) == "true" ||
         annotation_of(storage_class, kOldDefaultClass) == "true";
}

}  // namespace

std::string_view storage_class_of_claim(const json::value& claim) {
  const auto& annotations = annotations_of(claim);
  if (annotations.contains(kOldClass)) return annotation_of(claim, kOldClass);
  return get_string(claim, "spec.storageClassName");
}

std::string_view storage_class_of_volume(const json::value& volume) {
  return storage_class_of_claim(volume);
}

bool names_no_class(const json::value& claim) {
  return !annotations_of(claim).contains(kOldClass) &&
         find(claim, "spec.storageClassName") == nullptr;
}

bool is_reserved_for(const json::value& volume, const json::value& claim) {
  const json::value* reference = find(volume, "spec.claimRef");
  if (reference == nullptr || !reference->is_object()) return false;
  if (get_string(*reference, "name") != name_of(claim) ||
      get_string(*reference, "namespace") != namespace_of(claim)) {
    return false;
  }
  const auto uid = get_string(*reference, "uid");
  return uid.empty() || uid == uid_of(claim);
}

Quantity asked_size(const json::value& claim) {
  return amount(claim, "spec.resources.requests.storage");
}

Quantity volume_size(const json::value& volume) { return amount(volume, "spec.capacity.storage"); }

std::optional<std::string> why_unfit(const json::value& volume, const json::value& claim) {
  if (volume_size(volume) < asked_size(claim)) return "requested PV is too small";
  if (storage_class_of_volume(volume) != storage_class_of_claim(claim)) {
    return "storageClassName does not match";
  }
  if (get_string(volume, "spec.volumeAttributesClassName") !=
      get_string(claim, "spec.volumeAttributesClassName")) {
    return "volumeAttributesClassName does not match";
  }
  if (mode_of(volume) != mode_of(claim)) return "incompatible volumeMode";
  if (!covers_access_modes(volume, claim)) return "incompatible accessMode";
  return std::nullopt;
}

const json::value* best_volume(const json::value& claim,
                               const std::vector<const json::value*>& volumes,
                               const MatchOptions& options) {
  const auto selector = LabelSelector::from_object(find(claim, "spec.selector"));
  const bool selects = find(claim, "spec.selector") != nullptr;
  const Quantity asked = asked_size(claim);
  const json::value* best = nullptr;
  std::pair<std::size_t, Quantity> best_rank;
  for (const json::value* volume : volumes) {
    if (options.taken && options.taken(*volume)) continue;
    const bool reserved = is_reserved_for(*volume, claim);
    if (!reserved && find(*volume, "spec.claimRef") != nullptr) continue;
    if (volume_size(*volume) < asked || mode_of(*volume) != mode_of(claim) ||
        !deletion_timestamp_of(*volume).empty() || !covers_access_modes(*volume, claim)) {
      continue;
    }
    const bool node_fits = !options.node_fits || options.node_fits(*volume);
    // One that is reserved and unreachable from the node rules the node out.
    if (reserved) return node_fits ? volume : nullptr;
    if (!node_fits || (options.delay_binding && !options.node_fits)) continue;
    if (get_string(*volume, "status.phase") != "Available") continue;
    if (storage_class_of_volume(*volume) != storage_class_of_claim(claim)) continue;
    if (get_string(*volume, "spec.volumeAttributesClassName") !=
        get_string(claim, "spec.volumeAttributesClassName")) {
      continue;
    }
    if (selects && (!selector.ok() || !selector->matches(labels_of(*volume)))) continue;
    const std::pair rank{get_array(*volume, "spec.accessModes").size(), volume_size(*volume)};
    if (best == nullptr || rank < best_rank) {
      best = volume;
      best_rank = rank;
    }
  }
  return best;
}

const json::value* default_storage_class(const std::vector<const json::value*>& classes) {
  const json::value* best = nullptr;
  for (const json::value* candidate : classes) {
    if (!is_default_class(*candidate)) continue;
    if (best == nullptr || creation_timestamp_of(*candidate) > creation_timestamp_of(*best) ||
        (creation_timestamp_of(*candidate) == creation_timestamp_of(*best) &&
         name_of(*candidate) < name_of(*best))) {
      best = candidate;
    }
  }
  return best;
}

}  // namespace coracle::api
