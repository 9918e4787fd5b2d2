#include "apiserver/rbac/node_authorizer.hpp"

#include <algorithm>

#include "apiserver/rbac/default_policy.hpp"

namespace coracle::apiserver::rbac {

namespace {

constexpr std::string_view kNodePrefix = "system:node:";

// Whether something below `value` names `name` as Kubernetes names things of this resource in pods.
struct Mention {
  std::string_view resource, name;

  bool in_reference(const json::value& parent, std::string_view path) const {
    return get_string(parent, path) == name;
  }
  bool in_container(const json::value& container) const {
    const bool secret = resource == "secrets";
    for (const json::value& source : get_array(container, "envFrom")) {
      if (in_reference(source, secret ? "secretRef.name" : "configMapRef.name")) return true;
    }
    for (const json::value& entry : get_array(container, "env")) {
      if (in_reference(entry,
                       secret ? "valueFrom.secretKeyRef.name" : "valueFrom.configMapKeyRef.name")) {
        return true;
      }
    }
    return false;
  }
  bool in_volume(const json::value& volume, const std::string& pod) const {
    if (resource == "persistentvolumeclaims") {
      return in_reference(volume, "persistentVolumeClaim.claimName") ||
             (find(volume, "ephemeral") != nullptr &&
              pod + "-" + std::string(get_string(volume, "name")) == name);
    }
    const bool secret = resource == "secrets";
    if (in_reference(volume, secret ? "secret.secretName" : "configMap.name")) return true;
    for (const json::value& source : get_array(volume, "projected.sources")) {
      if (in_reference(source, secret ? "secret.name" : "configMap.name")) return true;
    }
    if (!secret) return false;
    for (const char* driver :
         {"azureFile", "cephfs", "csi", "flexVolume", "iscsi", "rbd", "scaleIO", "storageos"}) {
      const std::string ref = driver == std::string_view("csi") ? "nodePublishSecretRef.name"
                              : driver == std::string_view("azureFile") ? "secretName"
                                                                        : "secretRef.name";
      if (in_reference(volume, std::string(driver) + "." + ref)) return true;
    }
    return false;
  }
  bool in_device_claims(const json::value& pod) const {
    for (const char* list : {"spec.resourceClaims", "status.resourceClaimStatuses"}) {
      for (const json::value& entry : get_array(pod, list)) {
        if (in_reference(entry, "resourceClaimName")) return true;
      }
    }
    return false;
  }
  bool in_pod(const json::value& pod) const {
    if (resource == "serviceaccounts") return in_reference(pod, "spec.serviceAccountName");
    if (resource == "resourceclaims") return in_device_claims(pod);
    for (const json::value& secret : get_array(pod, "spec.imagePullSecrets")) {
      if (resource == "secrets" && in_reference(secret, "name")) return true;
    }
    for (const json::value& volume : get_array(pod, "spec.volumes")) {
      if (in_volume(volume, std::string(get_string(pod, "metadata.name")))) return true;
    }
    if (resource == "persistentvolumeclaims") return false;
    for (const char* list :
         {"spec.containers", "spec.initContainers", "spec.ephemeralContainers"}) {
      const json::array& containers = get_array(pod, list);
      if (std::any_of(containers.begin(), containers.end(),
                      [&](const json::value& container) { return in_container(container); })) {
        return true;
      }
    }
    return false;
  }
};

// Calls `fn` with the node's pods in `ns` until it says true.
bool any_pod_of(const StoreFeed& feed, const std::string& node, const std::string& ns,
                const std::function<bool(const json::value&)>& fn) {
  const ResourceCache* pods = feed.cache("pods");
  if (pods == nullptr) return false;
  const int field = pods->shape().node_field();
  bool found = false;
  pods->scan(ns, "", [&](const ObjectPtr& pod) {
    if (field < 0 || pod->field(static_cast<std::size_t>(field)) != node) return true;
    const auto tree = parse_json("{" + *pod->tail());
    CHECK(tree.ok());
    found = fn(*tree);
    return !found;
  });
  return found;
}

Decision no(std::string reason) { return {false, std::move(reason)}; }

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> list) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

// Things of which a node may have only the one with its own name.
Decision own_name(const std::string& node, const RequestInfo& request, std::string_view what) {
  if (!is_one_of(request.verb, {"get", "create", "update", "patch", "delete"})) {
    return no("can only get, create, update, patch, or delete a " + std::string(what));
  }
  if (request.verb != "create" && request.name != node) {
    return no("can only access " + std::string(what) +
              " with the same name as the requesting node");
  }
  return {true, ""};
}

Decision own_node(const std::string& node, const RequestInfo& request) {
  if (!is_one_of(request.verb, {"get", "list", "watch"})) return {true, ""};
  const std::string& name = request.name;
  if (name == node) return {true, ""};
  return no("node '" + node + "' cannot read " + (name.empty() ? "all nodes" : "'" + name + "'") +
            ", only its own Node object");
}

}  // namespace

std::optional<std::string> node_identity(const UserInfo& user) {
  if (!user.in_group("system:nodes") || !user.name.starts_with(kNodePrefix)) return std::nullopt;
  return user.name.substr(kNodePrefix.size());
}

bool NodeAuthorizer::pod_on_node(const std::string& node, const RequestInfo& request) const {
  const json::value pod = feed_.tree_at("pods", request.ns + "/" + request.name);
  return get_string(pod, "spec.nodeName") == node;
}

bool NodeAuthorizer::named_by_pod(const std::string& node, const RequestInfo& request) const {
  const Mention mention{request.resource, request.name};
  return any_pod_of(feed_, node, request.ns,
                    [&](const json::value& pod) { return mention.in_pod(pod); });
}

bool NodeAuthorizer::volume_of_pod(const std::string& node, const std::string& volume) const {
  const json::value tree = feed_.tree_at("persistentvolumes", volume);
  const Mention mention{"persistentvolumeclaims", get_string(tree, "spec.claimRef.name")};
  const std::string ns(get_string(tree, "spec.claimRef.namespace"));
  return !mention.name.empty() && !ns.empty() &&
         any_pod_of(feed_, node, ns, [&](const json::value& pod) { return mention.in_pod(pod); });
}

bool NodeAuthorizer::attachment_of_node(const std::string& node, const std::string& name) const {
  return get_string(feed_.tree_at("volumeattachments", name), "spec.nodeName") == node;
}

Decision NodeAuthorizer::decide_related(const std::string& node, const RequestInfo& request) const {
  const std::string& resource = request.resource;
  const std::string& verb = request.verb;
  const bool shared = is_one_of(resource, {"secrets", "configmaps"});
  if (shared && !is_one_of(verb, {"get", "list", "watch"})) {
    return no("can only read resources of this type");
  }
  const bool status = resource == "persistentvolumeclaims" && request.subresource == "status";
  if (status && !is_one_of(verb, {"get", "update", "patch"})) {
    return no("can only get/update/patch this type");
  }
  if (resource == "serviceaccounts") {
    const bool token = verb == "create" && request.subresource == "token";
    if (!token && verb != "get")
      return no("can only create tokens for individual service accounts");
  } else if (!shared && !status && verb != "get") {
    return no("can only get individual resources of this type");
  } else if (!status && !request.subresource.empty()) {
    return no(shared ? "cannot read subresource" : "cannot get subresource");
  }
  if (request.name.empty()) return no("No Object name found");
  bool related = false;
  if (resource == "persistentvolumes") {
    related = volume_of_pod(node, request.name);
  } else if (resource == "volumeattachments") {
    related = attachment_of_node(node, request.name);
  } else if (!request.ns.empty()) {
    related = named_by_pod(node, request);
  }
  if (related) return {true, ""};
  return no("no relationship found between node '" + node + "' and this object");
}

// The slices of its own devices. What it creates and changes, NodeRestriction looks at.
Decision NodeAuthorizer::decide_slice(const std::string& node, const RequestInfo& request) const {
  if (!request.subresource.empty()) return no("cannot authorize ResourceSlice subresources");
  if (request.verb == "create") return {true, ""};
  if (is_one_of(request.verb, {"list", "watch", "deletecollection"})) {
    if (request.selected_node == node) return {true, ""};
    return no(
        "can only list/watch/deletecollection resourceslices with spec.nodeName field "
        "selector");
  }
  if (!is_one_of(request.verb, {"get", "update", "patch", "delete"})) {
    return no("can only create, get, update, patch, or delete a ResourceSlice");
  }
  const json::value slice = feed_.tree_at("resourceslices", request.name);
  if (get_string(slice, "spec.nodeName") == node) return {true, ""};
  return no("no relationship found between node '" + node + "' and this object");
}

Decision NodeAuthorizer::decide(const UserInfo& user, const RequestInfo& request) const {
  const std::optional<std::string> node = node_identity(user);
  if (!node) return {};
  if (node->empty()) return no("unknown node for user \"" + user.name + "\"");
  static const DefaultRole* const role = DefaultPolicy::get().role("", "system:node");
  const bool in_rules = allows(role->rules, request);
  if (!request.is_resource) return {in_rules, ""};
  const std::string& resource = request.resource;
  if (request.group.empty() &&
      is_one_of(resource, {"secrets", "configmaps", "persistentvolumeclaims", "persistentvolumes",
                           "serviceaccounts"})) {
    return decide_related(*node, request);
  }
  if ((request.group == "storage.k8s.io" && resource == "volumeattachments") ||
      (request.group == "resource.k8s.io" && resource == "resourceclaims")) {
    return decide_related(*node, request);
  }
  if (request.group == "resource.k8s.io" && resource == "resourceslices") {
    return decide_slice(*node, request);
  }
  if (request.group == "coordination.k8s.io" && resource == "leases") {
    if (request.ns != "kube-node-lease") {
      return no("can only access leases in the \"kube-node-lease\" system namespace");
    }
    return own_name(*node, request, "node lease");
  }
  if (request.group == "storage.k8s.io" && resource == "csinodes") {
    if (!request.subresource.empty()) return no("cannot authorize CSINode subresources");
    return own_name(*node, request, "CSINode");
  }
  if (!in_rules) return {};
  if (request.group.empty() && resource == "nodes") return own_node(*node, request);
  if (request.group.empty() && resource == "pods" && request.subresource.empty()) {
    if (is_one_of(request.verb, {"list", "watch"}) && request.selected_node != *node) {
      return no("can only list/watch pods with spec.nodeName field selector");
    }
    if (request.verb == "get" && !pod_on_node(*node, request)) {
      return no("no relationship found between node '" + *node + "' and this object");
    }
  }
  return {true, ""};
}

}  // namespace coracle::apiserver::rbac
