// ServiceAccount: pods run as an account, hold its token and its secrets for pulling images.
#include "api/object.hpp"
#include "apiserver/admission/plugins.hpp"
#include "apiserver/registry/codec.hpp"

namespace coracle::apiserver {

namespace {

constexpr std::string_view kTokenPath = "/var/run/secrets/kubernetes.io/serviceaccount";
constexpr std::string_view kTokenVolume = "kube-api-access-";
constexpr std::int64_t kTokenSeconds = 3607;  // an hour, and a mark by which upstream knows its own
constexpr std::int64_t kDefaultMode = 0644;
// A namespace's service account is made by a controller, a moment after the namespace.
constexpr int kAccountTries = 10;
constexpr Duration kAccountWait = std::chrono::milliseconds(100);

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

bool has_mount(const json::value& container, std::string_view path) {
  for (const json::value& mount : get_array(container, "volumeMounts")) {
    if (get_string(mount, "mountPath") == path) return true;
  }
  return false;
}

// A copy of a pod has one from the original.
std::string token_volume_of(const json::object& spec) {
  const json::value* volumes = find_member(spec, "volumes");
  if (volumes == nullptr || !volumes->is_array()) return {};
  for (const json::value& volume : volumes->get_array()) {
    const std::string_view name = get_string(volume, "name");
    if (name.starts_with(kTokenVolume)) return std::string(name);
  }
  return {};
}

// Mounts the token into every container that has nothing there; the volume only if one took it.
void mount_token(json::object& spec, Rng& rng) {
  const std::string had = token_volume_of(spec);
  const std::string volume = had.empty() ? std::string(kTokenVolume) + rng.name_suffix(5) : had;
  bool used = false;
  for (const char* list : {"initContainers", "containers"}) {
    json::value* containers = find_member(spec, list);
    if (containers == nullptr || !containers->is_array()) continue;
    for (json::value& container : containers->get_array()) {
      if (!container.is_object() || has_mount(container, kTokenPath)) continue;
      array_at(container.get_object(), "volumeMounts")
          .push_back(json::object{{"name", volume}, {"readOnly", true}, {"mountPath", kTokenPath}});
      used = true;
    }
  }
  if (used && had.empty()) array_at(spec, "volumes").push_back(token_volume(volume));
}

}  // namespace

Task<Outcome<Done>> fill_service_account(Admitted& a, json::value& pod) {
  if (!a.is("", "Pod")) co_return Done{};
  if (!api::annotation_of(pod, "kubernetes.io/config.mirror").empty()) co_return Done{};
  json::object& spec = make_object(pod, "spec");
  std::string name(get_string(pod, "spec.serviceAccountName"));
  if (name.empty()) name = "default";
  spec["serviceAccountName"] = name;
  spec["serviceAccount"] = name;
  TreePtr found;
  for (int i = 0; i < kAccountTries && !found; ++i) {
    if (i > 0) co_await sleep_on(a.m.executor, kAccountWait);
    found = co_await a.find_settled("serviceaccounts", a.c.info.ns + "/" + name);
  }
  if (!found) {
    co_return a.forbidden(pod, "error looking up service account " + a.c.info.ns + "/" + name +
                                   ": serviceaccount \"" + name + "\" not found");
  }
  bool mount = get_bool(*found, "automountServiceAccountToken", true);
  mount = get_bool(pod, "spec.automountServiceAccountToken", mount);
  if (mount) mount_token(spec, a.m.rng);
  const json::array& secrets = get_array(*found, "imagePullSecrets");
  if (!secrets.empty() && get_array(pod, "spec.imagePullSecrets").empty()) {
    spec["imagePullSecrets"] = secrets;
  }
  co_return Done{};
}

}  // namespace coracle::apiserver
