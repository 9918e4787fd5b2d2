#include "kustomize/references.hpp"

#include <fmt/format.h>

namespace coracle::kustomize {
namespace {

struct Field {
  const char* target;  // the kind that is named
  const char* kind;    // who names it; "": every kind with pods, below the pod's spec
  const char* path;
};

constexpr Field kFields[] = {
    {"ConfigMap", "", "volumes[].configMap.name"},
    {"ConfigMap", "", "volumes[].projected.sources[].configMap.name"},
    {"ConfigMap", "", "containers[].env[].valueFrom.configMapKeyRef.name"},
    {"ConfigMap", "", "containers[].envFrom[].configMapRef.name"},
    {"ConfigMap", "", "initContainers[].env[].valueFrom.configMapKeyRef.name"},
    {"ConfigMap", "", "initContainers[].envFrom[].configMapRef.name"},
    {"Secret", "", "volumes[].secret.secretName"},
    {"Secret", "", "volumes[].projected.sources[].secret.name"},
    {"Secret", "", "containers[].env[].valueFrom.secretKeyRef.name"},
    {"Secret", "", "containers[].envFrom[].secretRef.name"},
    {"Secret", "", "initContainers[].env[].valueFrom.secretKeyRef.name"},
    {"Secret", "", "initContainers[].envFrom[].secretRef.name"},
    {"Secret", "", "imagePullSecrets[].name"},
    {"Secret", "ServiceAccount", "imagePullSecrets[].name"},
    {"Secret", "ServiceAccount", "secrets[].name"},
    {"Secret", "Ingress", "spec.tls[].secretName"},
    {"ServiceAccount", "", "serviceAccountName"},
    {"PersistentVolumeClaim", "", "volumes[].persistentVolumeClaim.claimName"},
    {"PersistentVolume", "PersistentVolumeClaim", "spec.volumeName"},
    {"PriorityClass", "", "priorityClassName"},
    {"StorageClass", "PersistentVolumeClaim", "spec.storageClassName"},
    {"StorageClass", "PersistentVolume", "spec.storageClassName"},
    {"StorageClass", "StatefulSet", "spec.volumeClaimTemplates[].spec.storageClassName"},
    {"Service", "StatefulSet", "spec.serviceName"},
    {"Service", "Ingress", "spec.rules[].http.paths[].backend.service.name"},
    {"Service", "Ingress", "spec.defaultBackend.service.name"},
    {"Service", "APIService", "spec.service.name"},
    {"Service", "ValidatingWebhookConfiguration", "webhooks[].clientConfig.service.name"},
    {"Service", "MutatingWebhookConfiguration", "webhooks[].clientConfig.service.name"},
    {"IngressClass", "Ingress", "spec.ingressClassName"},
};

const Resource* find_named(const Resources& resources, std::string_view kind, std::string_view name,
                           const std::string& ns) {
  const Resource* found = nullptr;
  for (const Resource& resource : resources) {
    if (resource.kind() != kind || !resource.was_named(name)) continue;
    const bool here = resource.ns() == ns || is_cluster_scoped(resource.object);
    // Its own name counts for more than one it had before.
    if (here && resource.name() == name) return &resource;
    if (found == nullptr || (here && found->ns() != ns)) found = &resource;
  }
  return found;
}

void follow(const Resources& resources, std::string_view kind, const std::string& ns,
            json::value& name) {
  if (!name.is_string()) return;
  const Resource* to = find_named(resources, kind, name.as_string(), ns);
  if (to != nullptr) name = to->name();
}

// {kind, name}, and the namespace of a subject, which must be the one the account has or had; one
// that came without is in "default".
void follow_typed(const Resources& resources, const std::string& ns, json::value& reference) {
  if (!reference.is_object()) return;
  const std::string kind(get_string(reference, "kind"));
  const bool account = kind == "ServiceAccount";
  const std::string said(get_string(reference, "namespace"));
  const Resource* to =
      find_named(resources, kind, get_string(reference, "name"), account ? said : ns);
  if (to == nullptr) return;
  const std::string first = to->first_ns.empty() ? "default" : to->first_ns;
  if (account && said != to->ns() && said != first) return;
  json::object& object = reference.as_object();
  object["name"] = to->name();
  if (account && !to->ns().empty()) object["namespace"] = to->ns();
}

}  // namespace

void follow_names(Resources& resources) {
  for (Resource& resource : resources) {
    const std::string kind = resource.kind(), ns = resource.ns(), spec = pod_spec_of(kind);
    for (const Field& field : kFields) {
      const bool in_pods = *field.kind == '\0';
      if (in_pods ? spec.empty() : kind != field.kind) continue;
      const std::string path = in_pods ? fmt::format("{}.{}", spec, field.path) : field.path;
      visit_path(resource.object, path, false,
                 [&](json::value& name) { follow(resources, field.target, ns, name); });
    }
    for (const char* path : {"roleRef", "subjects[]", "spec.scaleTargetRef"}) {
      const bool scales = kind == "HorizontalPodAutoscaler";
      if (scales != (std::string_view(path) == "spec.scaleTargetRef")) continue;
      if (!scales && kind != "RoleBinding" && kind != "ClusterRoleBinding") continue;
      visit_path(resource.object, path, false,
                 [&](json::value& reference) { follow_typed(resources, ns, reference); });
    }
  }
}

}  // namespace coracle::kustomize
