// DefaultStorageClass and DefaultIngressClass: the class that is marked as default, for who names
// none.
#include "api/object.hpp"
#include "apiserver/admission/plugins.hpp"

namespace coracle::apiserver {

namespace {

// Of several defaults the newest, then the first by name.
std::optional<std::string> default_class(Admitted& a, std::string_view prefix,
                                         std::string_view annotation) {
  std::optional<std::string> best;
  std::string made;
  a.scan(prefix, "", [&](const json::value& candidate) {
    const bool marked = api::annotation_of(candidate, annotation) == "true";
    const std::string time(api::creation_timestamp_of(candidate));
    if (marked && (!best || time > made)) {
      best = api::name_of(candidate);
      made = time;
    }
    return true;
  });
  return best;
}

bool names_none(const json::value& object, std::string_view field,
                std::string_view old_annotation) {
  const json::object& spec = get_object(object, "spec");
  return !spec.contains(field) && !api::annotations_of(object).contains(old_annotation);
}

}  // namespace

Task<Outcome<Done>> fill_default_storage_class(Admitted& a, json::value& claim) {
  if (!a.is("", "PersistentVolumeClaim")) co_return Done{};
  if (!names_none(claim, "storageClassName", "volume.beta.kubernetes.io/storage-class")) {
    co_return Done{};
  }
  const auto name =
      default_class(a, "storageclasses", "storageclass.kubernetes.io/is-default-class");
  if (name) make_object(claim, "spec")["storageClassName"] = *name;
  co_return Done{};
}

Task<Outcome<Done>> fill_default_ingress_class(Admitted& a, json::value& ingress) {
  if (!a.is("networking.k8s.io", "Ingress")) co_return Done{};
  if (!names_none(ingress, "ingressClassName", "kubernetes.io/ingress.class")) co_return Done{};
  const auto name =
      default_class(a, "ingressclasses", "ingressclass.kubernetes.io/is-default-class");
  if (name) make_object(ingress, "spec")["ingressClassName"] = *name;
  co_return Done{};
}

}  // namespace coracle::apiserver
