#include "lab/join_objects.hpp"

#include <fmt/format.h>

#include "base/encoding.hpp"

namespace coracle::lab {
namespace {

constexpr char kJoiners[] = "system:bootstrappers:kubeadm:default-node-token";
constexpr char kRbac[] = "rbac.authorization.k8s.io";
constexpr char kInfoReader[] = "kubeadm:bootstrap-signer-clusterinfo";

json::value named(const char* api_version, const char* kind, const std::string& ns,
                  const std::string& name) {
  json::value object = json::object{{"apiVersion", api_version}, {"kind", kind}};
  set_path(object, "metadata.name", json::value(name));
  if (!ns.empty()) set_path(object, "metadata.namespace", json::value(ns));
  return object;
}

json::object subject(const char* kind, const char* name) {
  return {{"kind", kind}, {"apiGroup", kRbac}, {"name", name}};
}

NamedObject cluster_binding(const char* name, const char* role, const char* group) {
  json::value binding = named("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "", name);
  binding.as_object()["roleRef"] =
      json::object{{"apiGroup", kRbac}, {"kind", "ClusterRole"}, {"name", role}};
  binding.as_object()["subjects"].emplace_array().push_back(subject("Group", group));
  return {"/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", std::move(binding)};
}

std::string published_kubeconfig(const std::string& server, const std::string& ca_pem) {
  return fmt::format(
      "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: {}\n    server: {}\n"
      "  name: \"\"\ncontexts: null\ncurrent-context: \"\"\nkind: Config\npreferences: {{}}\n"
      "users: null\n",
      base64_encode(ca_pem), server);
}

}  // namespace

NamedObject token_secret(const JoinToken& token) {
  json::value secret = named("v1", "Secret", "kube-system", "bootstrap-token-" + token.id);
  secret.as_object()["type"] = "bootstrap.kubernetes.io/token";
  secret.as_object()["stringData"] = json::object{{"token-id", token.id},
                                                  {"token-secret", token.secret},
                                                  {"expiration", format_time(token.expires)},
                                                  {"usage-bootstrap-authentication", "true"},
                                                  {"usage-bootstrap-signing", "true"},
                                                  {"auth-extra-groups", kJoiners}};
  return {"/api/v1/namespaces/kube-system/secrets", std::move(secret)};
}

std::vector<NamedObject> join_objects(const std::string& server, const std::string& ca_pem) {
  std::vector<NamedObject> all;
  const char* const rbac_version = "rbac.authorization.k8s.io/v1";
  const std::string rbac_public = "/apis/rbac.authorization.k8s.io/v1/namespaces/kube-public/";

  json::value info = named("v1", "ConfigMap", "kube-public", "cluster-info");
  make_object(info, "data")["kubeconfig"] = published_kubeconfig(server, ca_pem);
  all.push_back({"/api/v1/namespaces/kube-public/configmaps", std::move(info)});

  json::value role = named(rbac_version, "Role", "kube-public", kInfoReader);
  json::object rule;
  rule["apiGroups"].emplace_array().emplace_back("");
  rule["resources"].emplace_array().emplace_back("configmaps");
  rule["resourceNames"].emplace_array().emplace_back("cluster-info");
  rule["verbs"].emplace_array().emplace_back("get");
  role.as_object()["rules"].emplace_array().push_back(std::move(rule));
  all.push_back({rbac_public + "roles", std::move(role)});

  json::value binding = named(rbac_version, "RoleBinding", "kube-public", kInfoReader);
  binding.as_object()["roleRef"] =
      json::object{{"apiGroup", kRbac}, {"kind", "Role"}, {"name", kInfoReader}};
  binding.as_object()["subjects"].emplace_array().push_back(subject("User", "system:anonymous"));
  all.push_back({rbac_public + "rolebindings", std::move(binding)});

  all.push_back(cluster_binding("kubeadm:kubelet-bootstrap", "system:node-bootstrapper", kJoiners));
  all.push_back(cluster_binding("kubeadm:node-autoapprove-bootstrap",
                                "system:certificates.k8s.io:certificatesigningrequests:nodeclient",
                                kJoiners));
  all.push_back(cluster_binding(
      "kubeadm:node-autoapprove-certificate-rotation",
      "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient", "system:nodes"));
  return all;
}

}  // namespace coracle::lab
