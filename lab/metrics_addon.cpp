#include "lab/metrics_addon.hpp"

#include <fmt/format.h>

#include "base/check.hpp"
#include "base/encoding.hpp"
#include "base/yaml.hpp"

namespace coracle::lab {
namespace {

constexpr char kRbac[] = "/apis/rbac.authorization.k8s.io/v1";

constexpr char kRoles[] = R"(
kind: ClusterRole
metadata:
  name: system:aggregated-metrics-reader
  labels:
    rbac.authorization.k8s.io/aggregate-to-admin: "true"
    rbac.authorization.k8s.io/aggregate-to-edit: "true"
    rbac.authorization.k8s.io/aggregate-to-view: "true"
rules:
- {apiGroups: [metrics.k8s.io], resources: [pods, nodes], verbs: [get, list, watch]}
---
kind: ClusterRole
metadata: {name: "system:metrics-server"}
rules:
- {apiGroups: [""], resources: [nodes/metrics], verbs: [get]}
- {apiGroups: [""], resources: [pods, nodes], verbs: [get, list, watch]}
---
kind: ClusterRoleBinding
metadata: {name: "system:metrics-server"}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "system:metrics-server"}
---
kind: ClusterRoleBinding
metadata: {name: "metrics-server:system:auth-delegator"}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "system:auth-delegator"}
---
kind: RoleBinding
metadata: {name: metrics-server-auth-reader, namespace: kube-system}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: extension-apiserver-authentication-reader}
)";

// The daemon is no pod: the Service has no selector.
constexpr char kService[] = R"(
apiVersion: v1
kind: Service
metadata: {{name: metrics-server, namespace: kube-system, labels: {{k8s-app: metrics-server}}}}
spec:
  ports: [{{name: https, port: 443, protocol: TCP, appProtocol: https, targetPort: https}}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: metrics-server-lab
  namespace: kube-system
  labels: {{kubernetes.io/service-name: metrics-server, k8s-app: metrics-server}}
addressType: IPv4
ports: [{{name: https, port: {}, protocol: TCP, appProtocol: https}}]
endpoints: [{{addresses: [127.0.0.1], conditions: {{ready: true}}}}]
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {{name: v1beta1.metrics.k8s.io, labels: {{k8s-app: metrics-server}}}}
spec:
  group: metrics.k8s.io
  version: v1beta1
  groupPriorityMinimum: 100
  versionPriority: 100
  service: {{name: metrics-server, namespace: kube-system}}
  caBundle: {}
)";

std::string collection_of(const std::string& kind) {
  if (kind == "ClusterRole") return std::string(kRbac) + "/clusterroles";
  if (kind == "ClusterRoleBinding") return std::string(kRbac) + "/clusterrolebindings";
  if (kind == "RoleBinding") return std::string(kRbac) + "/namespaces/kube-system/rolebindings";
  if (kind == "Service") return "/api/v1/namespaces/kube-system/services";
  if (kind == "APIService") return "/apis/apiregistration.k8s.io/v1/apiservices";
  return "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices";
}

}  // namespace

std::vector<std::string> metrics_server_names() {
  return {"metrics-server.kube-system.svc", "metrics-server.kube-system",
          "metrics-server.kube-system.svc.cluster.local", "localhost"};
}

std::vector<NamedObject> metrics_objects(int port, const std::string& ca_pem) {
  const std::string text =
      std::string(kRoles) + "---\n" + fmt::format(kService, port, base64_encode(ca_pem));
  auto documents = parse_yaml(text);
  CHECK_MSG(documents.ok(), documents.status().to_string());
  std::vector<NamedObject> objects;
  for (YamlDocument& document : *documents) {
    json::value& body = document.value;
    const std::string kind(get_string(body, "kind"));
    if (kind.find("Role") != std::string::npos) {
      body.get_object()["apiVersion"] = "rbac.authorization.k8s.io/v1";
      set_path(body, "metadata.labels.k8s-app", json::value("metrics-server"));
    }
    if (kind.ends_with("Binding")) {
      body.get_object()["subjects"] = json::array({json::object(
          {{"kind", "User"}, {"apiGroup", "rbac.authorization.k8s.io"}, {"name", kMetricsUser}})});
    }
    objects.push_back({collection_of(kind), std::move(body)});
  }
  return objects;
}

}  // namespace coracle::lab
