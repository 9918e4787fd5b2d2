#include "kubectl/removed.hpp"

#include <iterator>

namespace coracle::kubectl {
namespace {

struct Version {
  std::string_view group, kind, now;  // every other version of the group: gone
};
constexpr Version kVersions[] = {
    {"extensions", "Ingress", "networking.k8s.io/v1"},
    {"extensions", "NetworkPolicy", "networking.k8s.io/v1"},
    {"extensions", "Deployment", "apps/v1"},
    {"extensions", "ReplicaSet", "apps/v1"},
    {"extensions", "DaemonSet", "apps/v1"},
    {"apps", "Deployment", "apps/v1"},
    {"apps", "ReplicaSet", "apps/v1"},
    {"apps", "DaemonSet", "apps/v1"},
    {"apps", "StatefulSet", "apps/v1"},
    {"apps", "ControllerRevision", "apps/v1"},
    {"networking.k8s.io", "Ingress", "networking.k8s.io/v1"},
    {"networking.k8s.io", "IngressClass", "networking.k8s.io/v1"},
    {"batch", "CronJob", "batch/v1"},
    {"policy", "PodDisruptionBudget", "policy/v1"},
    {"rbac.authorization.k8s.io", "Role", "rbac.authorization.k8s.io/v1"},
    {"rbac.authorization.k8s.io", "RoleBinding", "rbac.authorization.k8s.io/v1"},
    {"rbac.authorization.k8s.io", "ClusterRole", "rbac.authorization.k8s.io/v1"},
    {"rbac.authorization.k8s.io", "ClusterRoleBinding", "rbac.authorization.k8s.io/v1"},
    {"certificates.k8s.io", "CertificateSigningRequest", "certificates.k8s.io/v1"},
    {"autoscaling", "HorizontalPodAutoscaler", "autoscaling/v2"},
    {"storage.k8s.io", "StorageClass", "storage.k8s.io/v1"},
    {"storage.k8s.io", "CSIDriver", "storage.k8s.io/v1"},
    {"scheduling.k8s.io", "PriorityClass", "scheduling.k8s.io/v1"},
    {"apiextensions.k8s.io", "CustomResourceDefinition", "apiextensions.k8s.io/v1"},
    {"apiregistration.k8s.io", "APIService", "apiregistration.k8s.io/v1"},
    {"admissionregistration.k8s.io", "ValidatingWebhookConfiguration",
     "admissionregistration.k8s.io/v1"},
    {"admissionregistration.k8s.io", "MutatingWebhookConfiguration",
     "admissionregistration.k8s.io/v1"},
    {"discovery.k8s.io", "EndpointSlice", "discovery.k8s.io/v1"},
    {"coordination.k8s.io", "Lease", "coordination.k8s.io/v1"},
};

struct Word {
  std::string_view command, word, instead;  // command "": of every one
};
constexpr Word kFlags[] = {
    {"get", "--export",
     "--export is gone: take '-o yaml' and leave out status, uid, resourceVersion and "
     "creationTimestamp"},
    {"get", "--show-all", "--show-all is gone: all are shown"},
    {"get", "-a", "-a is gone: all are shown"},
    {"run", "--replicas",
     "run makes one pod: use 'kubectl create deployment NAME --image=IMAGE "
     "--replicas=N'"},
    {"run", "--generator",
     "run makes pods only: use 'kubectl create' for a deployment, job or "
     "cronjob"},
    {"run", "--schedule", "run makes pods only: use 'kubectl create cronjob'"},
    {"run", "--serviceaccount", "use --overrides='{\"spec\":{\"serviceAccountName\":\"NAME\"}}'"},
    {"run", "--requests", "set them in a manifest, or with 'kubectl set resources'"},
    {"run", "--limits", "set them in a manifest, or with 'kubectl set resources'"},
    {"expose", "--generator", "--generator is gone: there is one kind of Service"},
    {"version", "--short", "--short is gone: it is the default"},
    {"drain", "--delete-local-data", "its name is --delete-emptydir-data"},
};
constexpr Word kCommands[] = {
    {"", "rolling-update",
     "rolling-update is gone: use a Deployment, 'kubectl set image' and 'kubectl rollout'"},
    {"", "run-container", "its name is 'kubectl run'"},
    {"", "convert", "it is a plugin: write the manifest in the current version"},
};

}  // namespace

std::string instead_of_version(std::string_view api_version, std::string_view kind) {
  const size_t slash = api_version.find('/');
  if (slash == api_version.npos) return {};
  const std::string_view group = api_version.substr(0, slash);
  if (kind == "PodSecurityPolicy" && (group == "policy" || group == "extensions")) {
    return "PodSecurityPolicy was removed in v1.25: use Pod Security Admission (labels "
           "pod-security.kubernetes.io/enforce of the namespace)";
  }
  for (const Version& one : kVersions) {
    if (one.group != group || one.kind != kind || one.now == api_version) continue;
    return std::string(api_version) + " was removed: use apiVersion: " + std::string(one.now) +
           " ('kubectl explain' tells its fields)";
  }
  return {};
}

std::string instead_of_flag(std::string_view command, std::string_view flag) {
  for (const Word& one : kFlags) {
    if (one.word == flag && (one.command.empty() || one.command == command)) {
      return std::string(one.instead);
    }
  }
  return {};
}

std::string instead_of_command(std::string_view command) {
  for (const Word& one : kCommands) {
    if (one.word == command) return std::string(one.instead);
  }
  return {};
}

}  // namespace coracle::kubectl
