#include "apiserver/admission/plugins.hpp"

#include "base/strings.hpp"

namespace coracle::apiserver {

namespace {

// Upstream's order: webhooks see what the others made, quota is last: what another one refuses is
// not counted.
constexpr Plugin kPlugins[] = {
    {"NamespaceLifecycle", fill_namespace_lifecycle, check_namespace_lifecycle},
    {"LimitRanger", fill_limit_ranger, check_limit_ranger},
    {"ServiceAccount", fill_service_account},
    {"TaintNodesByCondition", fill_taint_nodes},
    {"AlwaysPullImages", nullptr, check_always_pull, change_always_pull},
    {"ImagePolicyWebhook", nullptr, nullptr, nullptr, ask_image_policy},
    {"PodSecurity", nullptr, check_pod_security},
    {"PodNodeSelector", fill_node_selector, check_node_selector},
    {"Priority", fill_priority, nullptr, keep_priority},
    {"DefaultTolerationSeconds", fill_default_tolerations, nullptr, keep_default_tolerations},
    {"DefaultStorageClass", fill_default_storage_class},
    {"StorageObjectInUseProtection", fill_storage_in_use},
    {"PersistentVolumeClaimResize", nullptr, check_claim_resize},
    {"RuntimeClass", fill_runtime_class},
    {"DefaultIngressClass", fill_default_ingress_class},
    {"DenyServiceExternalIPs", nullptr, check_external_addresses},
    {"MutatingAdmissionWebhook", nullptr, check_webhook_configuration, change_by_webhooks, nullptr,
     true},
    {"ValidatingAdmissionPolicy", nullptr, check_validating_policies, nullptr, nullptr, true},
    {"ValidatingAdmissionWebhook", nullptr, nullptr, nullptr, ask_webhooks, true},
    {"ResourceQuota", nullptr, check_resource_quota},
};

constexpr std::size_t kKeptTreesMax = 256;  // of a kind that is scanned

json::value tree_of_object(const CachedObject& object) {
  auto tree = parse_json("{" + *object.tail());
  CHECK(tree.ok());
  return *std::move(tree);
}

}  // namespace

std::span<const Plugin> admission_plugins() { return kPlugins; }

api::ApiError Admitted::forbidden(const json::value& object, std::string_view why) const {
  std::string_view name = get_string(object, "metadata.name");
  if (name.empty()) name = c.info.name;
  if (name.empty()) name = get_string(object, "metadata.generateName");
  return api::forbidden_error(c.group_name(), name, why);
}

TreePtr Admitted::find(std::string_view prefix, std::string_view key) const {
  const ResourceCache* cache = m.feed.cache(prefix);
  const ObjectPtr found = cache == nullptr ? nullptr : cache->find(key);
  return found ? found->kept_tree() : nullptr;
}

Task<TreePtr> Admitted::find_settled(std::string prefix, std::string key) const {
  TreePtr found = find(prefix, key);
  if (!found && (co_await m.feed.read_barrier()).ok()) found = find(prefix, key);
  co_return found;
}

void Admitted::scan(std::string_view prefix, std::string_view ns,
                    const std::function<bool(const json::value&)>& fn) const {
  const ResourceCache* cache = m.feed.cache(prefix);
  if (cache == nullptr) return;
  // Of many (pods, say) the trees would fill the memory.
  const bool keep = cache->size() <= kKeptTreesMax;
  cache->scan(ns, "", [&](const ObjectPtr& object) {
    return keep ? fn(*object->kept_tree()) : fn(tree_of_object(*object));
  });
}

std::string aggregate_text(const std::vector<std::string>& errors) {
  return errors.size() == 1 ? errors[0] : "[" + join(errors, ", ") + "]";
}

const json::value* pod_template_of(std::string_view kind, const json::value& object) {
  if (kind == "Pod") return &object;
  if (kind == "PodTemplate") return find(object, "template");
  if (kind == "CronJob") return find(object, "spec.jobTemplate.spec.template");
  for (std::string_view workload :
       {"Deployment", "ReplicaSet", "DaemonSet", "StatefulSet", "Job", "ReplicationController"}) {
    if (kind == workload) return find(object, "spec.template");
  }
  return nullptr;
}

bool lists_text(const json::value& root, std::string_view path, std::string_view text) {
  for (const json::value& item : get_array(root, path)) {
    if (item.is_string() && std::string_view(item.get_string()) == text) return true;
  }
  return false;
}

json::array& array_at(json::object& parent, std::string_view name) {
  json::value& slot = parent[name];
  return slot.is_array() ? slot.get_array() : slot.emplace_array();
}

}  // namespace coracle::apiserver
