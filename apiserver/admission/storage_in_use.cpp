// StorageObjectInUseProtection: claims and volumes get the finalizers that keep them while they are
// in use; the protection controllers take them off.
#include "api/object.hpp"
#include "apiserver/admission/plugins.hpp"

namespace coracle::apiserver {

Task<Outcome<Done>> fill_storage_in_use(Admitted& a, json::value& object) {
  if (a.is("", "PersistentVolumeClaim")) {
    api::add_finalizer(object, "kubernetes.io/pvc-protection");
  } else if (a.is("", "PersistentVolume")) {
    api::add_finalizer(object, "kubernetes.io/pv-protection");
  }
  co_return Done{};
}

}  // namespace coracle::apiserver
