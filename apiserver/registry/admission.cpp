#include "apiserver/registry/admission.hpp"

#include "api/object.hpp"
#include "apiserver/registry/codec.hpp"

namespace coracle::apiserver {

namespace {

constexpr std::string_view kTokenPath = "/var/run/secrets/kubernetes.io/serviceaccount";
constexpr std::int64_t kTokenSeconds = 3607;  // an hour, and a mark by which upstream knows its own
constexpr std::int64_t kTolerationSeconds = 300;
constexpr std::int64_t kDefaultMode = 0644;
// A namespace's service account is made by a controller, a moment after the namespace.
constexpr int kAccountTries = 10;
constexpr Duration kAccountWait = std::chrono::milliseconds(100);

bool immortal(std::string_view name) {
  return name == "default" || name == "kube-system" || name == "kube-public";
}

json::value token_volume(const std::string& name) {
  json::object token{{"expirationSeconds", kTokenSeconds}, {"path", "token"}};
  json::array ca_items;
  ca_items.push_back(json::object{{"key", "ca.crt"}, {"path", "ca.crt"}});
  json::object ca{{"name", "kube-root-ca.crt"}};
  ca["items"] = std::move(ca_items);
  json::object field{{"apiVersion", "v1"}, {"fieldPath", "metadata.namespace"}};
  json::object item{{"path", "namespace"}};
  item["fieldRef"] = std::move(field);
  json::object downward;
  downward["items"].emplace_array().push_back(std::move(item));
  json::array sources;
  sources.push_back(json::object{{"serviceAccountToken", std::move(token)}});
  sources.push_back(json::object{{"configMap", std::move(ca)}});
  sources.push_back(json::object{{"downwardAPI", std::move(downward)}});
  json::object projected{{"defaultMode", kDefaultMode}};
  projected["sources"] = std::move(sources);
  json::object volume{{"name", name}};
  volume["projected"] = std::move(projected);
  return volume;
}

json::array& array_at(json::object& parent, std::string_view name) {
  json::value& slot = parent[name];
  return slot.is_array() ? slot.get_array() : slot.emplace_array();
}

bool has_mount(const json::value& container, std::string_view path) {
  for (const json::value& mount : get_array(container, "volumeMounts")) {
    if (get_string(mount, "mountPath") == path) return true;
  }
  return false;
}

// Mounts the token into every container that has nothing there; the volume only if one took it.
void mount_token(json::object& spec, const std::string& volume) {
  bool used = false;
  for (const char* list : {"initContainers", "containers"}) {
    json::value* containers = spec.if_contains(list);
    if (containers == nullptr || !containers->is_array()) continue;
    for (json::value& container : containers->get_array()) {
      if (!container.is_object() || has_mount(container, kTokenPath)) continue;
      array_at(container.get_object(), "volumeMounts")
          .push_back(json::object{{"name", volume}, {"readOnly", true}, {"mountPath", kTokenPath}});
      used = true;
    }
  }
  if (used) array_at(spec, "volumes").push_back(token_volume(volume));
}

// A toleration of NoExecute of this taint is there already.
bool tolerates(const json::object& spec, std::string_view key) {
  const json::value* list = spec.if_contains("tolerations");
  if (list == nullptr || !list->is_array()) return false;
  for (const json::value& toleration : list->get_array()) {
    const std::string_view have = get_string(toleration, "key");
    const std::string_view effect = get_string(toleration, "effect");
    if ((have == key || have.empty()) && (effect == "NoExecute" || effect.empty())) return true;
  }
  return false;
}

void default_tolerations(json::object& spec) {
  for (const char* key : {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"}) {
    if (tolerates(spec, key)) continue;
    array_at(spec, "tolerations")
        .push_back(json::object{{"key", key},
                                {"operator", "Exists"},
                                {"effect", "NoExecute"},
                                {"tolerationSeconds", kTolerationSeconds}});
  }
}

json::value tree_of_object(const ObjectPtr& object) {
  auto tree = parse_json("{" + *object->tail());
  CHECK(tree.ok());
  return *std::move(tree);
}

}  // namespace

Task<ObjectPtr> Admission::find_settled(std::string prefix, std::string key) {
  const ResourceCache* cache = m_.feed.cache(prefix);
  if (cache == nullptr) co_return ObjectPtr();
  ObjectPtr found = cache->find(key);
  if (!found && (co_await m_.feed.read_barrier()).ok()) found = cache->find(key);
  co_return found;
}

Task<Outcome<Done>> Admission::namespace_open(Context& c, std::string name) {
  const ObjectPtr found = co_await find_settled("namespaces", name);
  if (!found) co_return api::not_found_error({"", "namespaces"}, name);
  const json::value tree = tree_of_object(found);
  if (api::deletion_timestamp_of(tree).empty() &&
      get_string(tree, "status.phase") != "Terminating") {
    co_return Done{};
  }
  api::ApiError error = api::forbidden_error(
      c.group_name(), c.info.name,
      "unable to create new content in namespace " + name + " because it is being terminated");
  api::add_cause(error, "NamespaceTerminating", "namespace " + name + " is being terminated",
                 "metadata.namespace");
  co_return error;
}

Task<Outcome<Done>> Admission::service_account(Context& c, json::value& pod) {
  json::object& spec = make_object(pod, "spec");
  std::string name(get_string(pod, "spec.serviceAccountName"));
  if (name.empty()) name = "default";
  spec["serviceAccountName"] = name;
  spec["serviceAccount"] = name;
  ObjectPtr found;
  for (int i = 0; i < kAccountTries && !found; ++i) {
    if (i > 0) co_await sleep_on(m_.executor, kAccountWait);
    found = co_await find_settled("serviceaccounts", c.info.ns + "/" + name);
  }
  if (!found) {
    co_return api::forbidden_error(c.group_name(), api::name_of(pod),
                                   "error looking up service account " + c.info.ns + "/" + name +
                                       ": serviceaccount \"" + name + "\" not found");
  }
  const json::value account = tree_of_object(found);
  bool mount = get_bool(account, "automountServiceAccountToken", true);
  mount = get_bool(pod, "spec.automountServiceAccountToken", mount);
  if (mount) mount_token(spec, "kube-api-access-" + m_.rng.name_suffix(5));
  const json::array& secrets = get_array(account, "imagePullSecrets");
  if (!secrets.empty() && get_array(pod, "spec.imagePullSecrets").empty()) {
    spec["imagePullSecrets"] = secrets;
  }
  co_return Done{};
}

Task<Outcome<Done>> Admission::priority(Context& c, json::value& pod) {
  json::object& spec = make_object(pod, "spec");
  const std::string name(get_string(pod, "spec.priorityClassName"));
  std::int64_t value = 0;
  std::string policy = "PreemptLowerPriority";
  ObjectPtr found;
  if (!name.empty()) {
    found = co_await find_settled("priorityclasses", name);
    if (!found) {
      co_return api::forbidden_error(c.group_name(), api::name_of(pod),
                                     "no PriorityClass with name " + name + " was found");
    }
  } else if (const ResourceCache* classes = m_.feed.cache("priorityclasses")) {
    classes->scan("", "", [&](const ObjectPtr& candidate) {
      if (get_bool(tree_of_object(candidate), "globalDefault")) found = candidate;
      return !found;
    });
    if (found) spec["priorityClassName"] = found->name();
  }
  if (found) {
    const json::value tree = tree_of_object(found);
    value = get_int(tree, "value");
    policy = get_string(tree, "preemptionPolicy", policy);
  }
  if (const json::value* given = spec.if_contains("priority");
      given && given->is_int64() && given->get_int64() != value) {
    co_return api::forbidden_error(
        c.group_name(), api::name_of(pod),
        "the integer value of priority (" + std::to_string(given->get_int64()) +
            ") must not be provided in pod spec; priority admission controller computed " +
            std::to_string(value) + " from the given PriorityClass name");
  }
  spec["priority"] = value;
  if (const std::string_view own = get_string(pod, "spec.preemptionPolicy");
      !own.empty() && own != policy) {
    co_return api::forbidden_error(
        c.group_name(), api::name_of(pod),
        "the string value of PreemptionPolicy (" + std::string(own) +
            ") must not be provided in pod spec; priority admission controller computed " + policy +
            " from the given PriorityClass name");
  }
  spec["preemptionPolicy"] = policy;
  co_return Done{};
}

Task<Outcome<Done>> Admission::admit_create(Context& c, json::value& object) {
  if (c.resource->namespaced) {
    const auto open = co_await namespace_open(c, c.info.ns);
    if (!open.ok()) co_return open.error();
  }
  if (c.storage->kind != "Pod" || !c.storage->group.empty()) co_return Done{};
  const bool mirror = !api::annotation_of(object, "kubernetes.io/config.mirror").empty();
  if (!mirror) {
    const auto account = co_await service_account(c, object);
    if (!account.ok()) co_return account.error();
  }
  default_tolerations(make_object(object, "spec"));
  co_return co_await priority(c, object);
}

Outcome<Done> Admission::admit_delete(const Context& c) const {
  if (c.storage->kind == "Namespace" && immortal(c.info.name)) {
    return api::forbidden_error(c.group_name(), c.info.name, "this namespace may not be deleted");
  }
  return Done{};
}

}  // namespace coracle::apiserver
