#include "serviceaccount/serviceaccount.hpp"

#include "api/object.hpp"
#include "controllers/pods.hpp"

namespace coracle::controllers {
namespace {

constexpr char kAccount[] = "default";
constexpr char kRootCa[] = "kube-root-ca.crt";

json::value object_of(const char* kind, const std::string& ns, const char* name) {
  json::value object = json::object();
  set_path(object, "apiVersion", json::value("v1"));
  set_path(object, "kind", json::value(kind));
  set_path(object, "metadata.name", json::value(name));
  set_path(object, "metadata.namespace", json::value(ns));
  return object;
}

json::object ca_data(const std::string& pem) {
  json::object data;
  data["ca.crt"] = pem;
  return data;
}

}  // namespace

void ServiceAccountController::touched(const World&, const client::Gvr& gvr,
                                       const json::value* before, const json::value* after,
                                       const Enqueue& enqueue) const {
  const json::value& object = after != nullptr ? *after : *before;
  if (gvr == gvr::kNamespaces) return enqueue(std::string(api::name_of(object)));
  const std::string_view watched = gvr == gvr::kServiceAccounts ? kAccount : kRootCa;
  if (api::name_of(object) == watched) enqueue(std::string(api::namespace_of(object)));
}

Plan ServiceAccountController::reconcile(const World& world, const std::string& key,
                                         Instant) const {
  Plan plan;
  const ObjectPtr ns = world.get(gvr::kNamespaces, "", key);
  if (ns == nullptr || is_deleting(*ns)) return plan;
  plan.about = ns;
  if (world.get(gvr::kServiceAccounts, key, kAccount) == nullptr) {
    plan.create(gvr::kServiceAccounts, object_of("ServiceAccount", key, kAccount)).exists_is_fine =
        true;
  }
  if (root_ca_.empty()) return plan;
  const ObjectPtr had = world.get(gvr::kConfigMaps, key, kRootCa);
  if (had == nullptr) {
    json::value map = object_of("ConfigMap", key, kRootCa);
    set_path(map, "metadata.annotations",
             json::object({{"kubernetes.io/description",
                            "Contains a CA bundle that can be used to verify the kube-apiserver "
                            "when using internal endpoints such as the internal service IP or "
                            "kubernetes.default.svc. No other usage is guaranteed across "
                            "distributions of Kubernetes clusters."}}));
    map.get_object()["data"] = ca_data(root_ca_);
    plan.create(gvr::kConfigMaps, std::move(map)).exists_is_fine = true;
  } else if (get_object(*had, "data") != ca_data(root_ca_)) {
    json::value changed = *had;
    changed.get_object()["data"] = ca_data(root_ca_);
    plan.update(gvr::kConfigMaps, std::move(changed));
  }
  return plan;
}

}  // namespace coracle::controllers
