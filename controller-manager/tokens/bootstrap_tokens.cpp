#include "tokens/bootstrap_tokens.hpp"

#include <optional>

#include "api/object.hpp"
#include "base/encoding.hpp"
#include "controllers/pods.hpp"

namespace coracle::controllers {
namespace {

constexpr std::string_view kType = "bootstrap.kubernetes.io/token";
constexpr char kSystem[] = "kube-system";
constexpr char kPublic[] = "kube-public";
constexpr char kClusterInfo[] = "cluster-info";
constexpr std::string_view kSignature = "jws-kubeconfig-";

bool is_token(const json::value& secret) {
  return api::namespace_of(secret) == kSystem && get_string(secret, "type") == kType;
}

std::string datum(const json::value& secret, const char* key) {
  const json::value* value = get_object(secret, "data").if_contains(key);
  if (value == nullptr || !value->is_string()) return {};
  const auto text = base64_decode(value->get_string());
  return text.ok() ? *text : std::string();
}

// Nothing: it does not expire. What cannot be read has expired.
std::optional<WallTime> expires(const json::value& secret) {
  const std::string text = datum(secret, "expiration");
  if (text.empty()) return std::nullopt;
  const auto time = parse_time(text);
  return time.ok() ? *time : WallTime();
}

}  // namespace

void BootstrapTokenCleaner::touched(const World&, const client::Gvr&, const json::value*,
                                    const json::value* after, const Enqueue& enqueue) const {
  if (after != nullptr && is_token(*after)) enqueue(client::object_key(*after));
}

Plan BootstrapTokenCleaner::reconcile(const World& world, const std::string& key,
                                      Instant now) const {
  Plan plan;
  const auto [ns, name] = split_key(key);
  const ObjectPtr secret = world.get(gvr::kSecrets, ns, name);
  if (secret == nullptr || is_deleting(*secret) || !is_token(*secret)) return plan;
  plan.about = secret;
  const auto end = expires(*secret);
  if (!end) return plan;
  if (*end <= now.wall)
    plan.remove(gvr::kSecrets, *secret);
  else
    plan.look_again(*end - now.wall);
  return plan;
}

std::string detached_signature(const KeyedHash& hash, const std::string& id,
                               const std::string& secret, const std::string& text) {
  const json::value header = json::object{{"alg", "HS256"}, {"kid", id}};
  const std::string head = base64url_encode(to_json(header));
  return head + ".." + base64url_encode(hash(secret, head + "." + base64url_encode(text)));
}

void BootstrapSigner::touched(const World&, const client::Gvr& gvr, const json::value* before,
                              const json::value* after, const Enqueue& enqueue) const {
  const json::value& object = after != nullptr ? *after : *before;
  const bool info = gvr == gvr::kConfigMaps && api::namespace_of(object) == kPublic &&
                    api::name_of(object) == kClusterInfo;
  if (info || (gvr == gvr::kSecrets && is_token(object))) enqueue(kClusterInfo);
}

Plan BootstrapSigner::reconcile(const World& world, const std::string&, Instant now) const {
  Plan plan;
  const ObjectPtr info = world.get(gvr::kConfigMaps, kPublic, kClusterInfo);
  if (info == nullptr) return plan;
  plan.about = info;
  const std::string text(get_string(*info, "data.kubeconfig"));
  if (text.empty()) return plan;
  json::object data;
  for (const auto& [key, value] : get_object(*info, "data")) {
    if (!std::string_view(key).starts_with(kSignature)) data[key] = value;
  }
  for (const ObjectPtr& secret : world.in_namespace(gvr::kSecrets, kSystem)) {
    if (!is_token(*secret) || is_deleting(*secret) ||
        datum(*secret, "usage-bootstrap-signing") != "true") {
      continue;
    }
    const auto end = expires(*secret);
    if (end && *end <= now.wall) continue;
    const std::string id = datum(*secret, "token-id"), key = datum(*secret, "token-secret");
    if (id.empty() || key.empty()) continue;
    data[std::string(kSignature) + id] = detached_signature(hash_, id, key, text);
  }
  if (get_object(*info, "data") == data) return plan;
  json::value changed = *info;
  changed.as_object()["data"] = std::move(data);
  plan.update(gvr::kConfigMaps, std::move(changed));
  return plan;
}

}  // namespace coracle::controllers
