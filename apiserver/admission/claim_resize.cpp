// PersistentVolumeClaimResize: bound claims of a class that allows it may grow.
#include "api/object.hpp"
#include "api/quantity.hpp"
#include "apiserver/admission/plugins.hpp"

namespace coracle::apiserver {

namespace {

api::Quantity asked(const json::value& claim) {
  const auto parsed =
      api::Quantity::parse(get_string(claim, "spec.resources.requests.storage", "0"));
  return parsed.ok() ? *parsed : api::Quantity();
}

}  // namespace

Outcome<Done> check_claim_resize(Admitted& a, const json::value* object, const json::value* old) {
  const bool update = object != nullptr && old != nullptr && a.c.info.subresource.empty();
  if (!update || !a.is("", "PersistentVolumeClaim")) return Done{};
  if (asked(*object) <= asked(*old)) return Done{};
  if (get_string(*old, "status.phase") != "Bound") {
    return a.forbidden(*object, "Only bound persistent volume claims can be expanded");
  }
  const std::string name(get_string(*object, "spec.storageClassName"));
  const auto found = name.empty() ? TreePtr() : a.find("storageclasses", name);
  if (!found || !get_bool(*found, "allowVolumeExpansion")) {
    return a.forbidden(*object,
                       "only dynamically provisioned pvc can be resized and the storageclass that "
                       "provisions the pvc must support resize");
  }
  return Done{};
}

}  // namespace coracle::apiserver
