// NamespaceLifecycle: nothing new in namespaces that are missing or going; some namespaces stay.
#include "api/object.hpp"
#include "apiserver/admission/plugins.hpp"

namespace coracle::apiserver {

namespace {

bool immortal(std::string_view name) {
  return name == "default" || name == "kube-system" || name == "kube-public";
}

}  // namespace

Task<Outcome<Done>> fill_namespace_lifecycle(Admitted& a, json::value& object) {
  if (!a.c.resource->namespaced) co_return Done{};
  const std::string name = a.c.info.ns;
  const auto found = co_await a.find_settled("namespaces", name);
  if (!found) co_return api::not_found_error({"", "namespaces"}, name);
  if (api::deletion_timestamp_of(*found).empty() &&
      get_string(*found, "status.phase") != "Terminating") {
    co_return Done{};
  }
  api::ApiError error = a.forbidden(object, "unable to create new content in namespace " + name +
                                                " because it is being terminated");
  api::add_cause(error, "NamespaceTerminating", "namespace " + name + " is being terminated",
                 "metadata.namespace");
  co_return error;
}

Outcome<Done> check_namespace_lifecycle(Admitted& a, const json::value* object,
                                        const json::value*) {
  if (object == nullptr && a.c.storage->kind == "Namespace" && immortal(a.c.info.name)) {
    return api::forbidden_error(a.c.group_name(), a.c.info.name,
                                "this namespace may not be deleted");
  }
  return Done{};
}

}  // namespace coracle::apiserver
