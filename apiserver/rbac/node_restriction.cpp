#include "apiserver/rbac/node_restriction.hpp"

#include <algorithm>

#include "api/object.hpp"
#include "base/strings.hpp"

namespace coracle::apiserver::rbac {

namespace {

constexpr std::string_view kMirror = "kubernetes.io/config.mirror";

bool is_domain(std::string_view prefix, std::string_view domain) {
  return prefix == domain || prefix.ends_with("." + std::string(domain));
}

// A label of the cluster's that kubelets must not set on their node themselves.
bool is_reserved(std::string_view label) {
  static constexpr std::string_view kOwn[] = {"kubernetes.io/hostname",
                                              "kubernetes.io/arch",
                                              "kubernetes.io/os",
                                              "beta.kubernetes.io/arch",
                                              "beta.kubernetes.io/os",
                                              "beta.kubernetes.io/instance-type",
                                              "node.kubernetes.io/instance-type",
                                              "topology.kubernetes.io/region",
                                              "topology.kubernetes.io/zone",
                                              "failure-domain.beta.kubernetes.io/region",
                                              "failure-domain.beta.kubernetes.io/zone"};
  const std::size_t slash = label.find('/');
  if (slash == std::string_view::npos) return false;
  const std::string_view prefix = label.substr(0, slash);
  if (is_domain(prefix, "node-restriction.kubernetes.io")) return true;
  if (!is_domain(prefix, "kubernetes.io") && !is_domain(prefix, "k8s.io")) return false;
  if (is_domain(prefix, "kubelet.kubernetes.io") || is_domain(prefix, "node.kubernetes.io")) {
    return false;
  }
  return std::find(std::begin(kOwn), std::end(kOwn), label) == std::end(kOwn);
}

// Reserved labels that are set (no `old`) or changed.
std::string reserved_changes(const json::value& next, const json::value* old) {
  static const json::object kNone;
  const json::object& before = old == nullptr ? kNone : api::labels_of(*old);
  const json::object& after = api::labels_of(next);
  std::vector<std::string> changed;
  for (const auto& [key, value] : after) {
    const json::value* had = find_member(before, key);
    if ((had == nullptr || *had != value) && is_reserved(key)) changed.emplace_back(key);
  }
  for (const auto& [key, value] : before) {
    if (find_member(after, key) == nullptr && is_reserved(key)) changed.emplace_back(key);
  }
  std::sort(changed.begin(), changed.end());
  return join(changed, ", ");
}

std::string node_refusal(const std::string& who, const std::string& node, const Context& c,
                         const json::value& next, const json::value* old) {
  const std::string name(api::name_of(next));
  if (name != node) return who + " is not allowed to modify node " + quoted(name);
  const std::string labels = reserved_changes(next, old);
  if (old == nullptr) {
    if (labels.empty()) return "";
    return who + " is not allowed to set the following labels: " + labels;
  }
  if (c.info.subresource.empty()) {
    const json::value* before = find(*old, "spec.taints");
    const json::value* after = find(next, "spec.taints");
    const bool same = before == nullptr || after == nullptr ? before == after : *before == *after;
    if (!same) return who + " is not allowed to modify taints";
  }
  if (labels.empty()) return "";
  return who + " is not allowed to modify labels: " + labels;
}

std::string new_pod_refusal(const std::string& who, const std::string& node,
                            const json::value& pod) {
  if (api::annotation_of(pod, kMirror).empty()) {
    return "pod does not have " + quoted(kMirror) + " annotation, " + who +
           " can only create mirror pods";
  }
  if (get_string(pod, "spec.nodeName") != node) {
    return who + " can only create pods with spec.nodeName set to itself";
  }
  if (!get_string(pod, "spec.serviceAccountName").empty()) {
    return who + " can not create pods that reference a service account";
  }
  for (const json::value& volume : get_array(pod, "spec.volumes")) {
    for (const auto& [member, what] :
         {std::pair{"secret", "secrets"}, std::pair{"configMap", "configmaps"},
          std::pair{"persistentVolumeClaim", "persistentvolumeclaims"}}) {
      if (find(volume, member) != nullptr) {
        return who + " can not create pods that reference " + what;
      }
    }
  }
  return "";
}

std::string pod_refusal(const std::string& who, const std::string& node, const Context& c,
                        const json::value& next, const json::value* old) {
  if (old == nullptr) return new_pod_refusal(who, node, next);
  if (c.info.subresource != "status") return "";
  if (get_string(*old, "spec.nodeName") != node) {
    return who + " can only update pod status for pods with spec.nodeName set to itself";
  }
  if (api::labels_of(*old) != api::labels_of(next)) {
    return who + " cannot update labels through pod status";
  }
  return "";
}

}  // namespace

std::string node_write_refusal(const std::string& node, const Context& c, const json::value& next,
                               const json::value* old) {
  const std::string who = "node " + quoted(node);
  const std::string& kind = c.resource->kind;
  if (c.resource->group.empty() && kind == "Node") return node_refusal(who, node, c, next, old);
  if (c.resource->group.empty() && kind == "Pod") return pod_refusal(who, node, c, next, old);
  if (kind == "ResourceSlice" && c.resource->group == "resource.k8s.io" &&
      get_string(next, "spec.nodeName") != node) {
    return "can only access ResourceSlice with the same spec.nodeName as the requesting node";
  }
  const bool lease = kind == "Lease" && c.resource->group == "coordination.k8s.io";
  const bool csi = kind == "CSINode";
  if ((lease || csi) && api::name_of(next) != node) {
    return lease ? "can only access node lease with the same name as the requesting node"
                 : "can only access CSINode with the same name as the requesting node";
  }
  return "";
}

}  // namespace coracle::apiserver::rbac
