#include "apiserver/registry/token_issuer.hpp"

#include <algorithm>

#include "api/object.hpp"
#include "apiserver/registry/codec.hpp"

namespace coracle::apiserver {

namespace {

constexpr std::int64_t kDefaultSeconds = 3600;
constexpr std::int64_t kMinSeconds = 600;
constexpr std::int64_t kMaxSeconds = 1LL << 32;

std::int64_t unix_seconds(WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

bool has_audience(const json::value& claims, const std::string& audience) {
  const json::value* aud = find(claims, "aud");
  if (aud == nullptr) return false;
  if (aud->is_string()) return aud->get_string() == audience;
  const json::array& list = get_array(claims, "aud");
  return std::find(list.begin(), list.end(), json::value(audience)) != list.end();
}

// The object there is, with this uid.
bool lives(const StoreFeed& feed, std::string_view prefix, const std::string& key,
           std::string_view uid) {
  const ResourceCache* cache = feed.cache(prefix);
  const ObjectPtr object = cache == nullptr ? nullptr : cache->find(key);
  if (!object) return false;
  const auto tree = parse_json("{" + *object->tail());
  return tree.ok() && api::uid_of(*tree) == uid;
}

}  // namespace

Task<Reply> TokenIssuer::issue(Machinery& m, StoreAccess& access, Context& c) const {
  CO_TRY_OUTCOME(Body body, parse_body(c.request, m.catalog, "TokenRequest"));
  json::value request = body.empty ? json::value(json::object()) : std::move(body.value);
  CO_TRY_OUTCOME(const json::value account,
                 co_await access.read({c.storage, c.info.ns, c.info.name}));
  const std::int64_t seconds = get_int(request, "spec.expirationSeconds", kDefaultSeconds);
  const api::FieldPath path = api::FieldPath("spec").child("expirationSeconds");
  api::FieldErrors errors;
  if (seconds < kMinSeconds) {
    errors.invalid(path, json::value(seconds), "may not specify a duration less than 10 minutes");
  } else if (seconds > kMaxSeconds) {
    errors.invalid(path, json::value(seconds),
                   "may not specify a duration larger than 2^32 seconds");
  }
  if (!errors.empty()) {
    co_return api::invalid_error({"authentication.k8s.io", "TokenRequest"}, "", errors);
  }
  json::array audiences = get_array(request, "spec.audiences");
  if (audiences.empty()) audiences.emplace_back(issuer_);
  const WallTime now = m.executor.wall_now();
  const std::int64_t issued = unix_seconds(now);
  json::object bound{{"namespace", c.info.ns}};
  bound["serviceaccount"] = {{"name", c.info.name}, {"uid", api::uid_of(account)}};
  if (get_string(request, "spec.boundObjectRef.kind") == "Pod") {
    const std::string pod(get_string(request, "spec.boundObjectRef.name"));
    const ResourceCache* pods = m.feed.cache("pods");
    const ObjectPtr found = pods == nullptr ? nullptr : pods->find(c.info.ns + "/" + pod);
    if (!found) co_return api::not_found_error({"", "pods"}, pod);
    const auto tree = parse_json("{" + *found->tail());
    CHECK(tree.ok());
    bound["pod"] = {{"name", pod}, {"uid", api::uid_of(*tree)}};
  }
  json::object claims;
  claims["aud"] = audiences;
  claims["exp"] = issued + seconds;
  claims["iat"] = issued;
  claims["iss"] = issuer_;
  claims["jti"] = m.rng.uuid();
  claims["kubernetes.io"] = std::move(bound);
  claims["nbf"] = issued;
  claims["sub"] = "system:serviceaccount:" + c.info.ns + ":" + c.info.name;
  const auto token = signer_.sign(json::value(std::move(claims)));
  if (!token.ok()) co_return api::internal_api_error(token.status().message());
  json::value reply = json::object();
  reply.get_object()["kind"] = "TokenRequest";
  reply.get_object()["apiVersion"] = "authentication.k8s.io/v1";
  set_path(reply, "metadata.name", json::value(c.info.name));
  set_path(reply, "metadata.namespace", json::value(c.info.ns));
  set_path(reply, "metadata.creationTimestamp", json::value(format_time(now)));
  set_path(reply, "spec.audiences", json::value(audiences));
  set_path(reply, "spec.expirationSeconds", json::value(seconds));
  set_path(
      reply, "spec.boundObjectRef",
      find(request, "spec.boundObjectRef") ? *find(request, "spec.boundObjectRef") : json::value());
  set_path(reply, "status.token", json::value(*token));
  set_path(reply, "status.expirationTimestamp",
           json::value(format_time(now + std::chrono::seconds(seconds))));
  co_return reply_document(c.format, 201, reply);
}

std::optional<UserInfo> TokenIssuer::check(const StoreFeed& feed, WallTime now,
                                           std::string_view token) const {
  for (const net::JwtKey& key : verifiers_) {
    const auto claims = key.verify(token);
    if (!claims.ok()) continue;
    const std::int64_t at = unix_seconds(now);
    if (get_string(*claims, "iss") != issuer_ || !has_audience(*claims, issuer_)) continue;
    if (get_int(*claims, "exp") <= at || get_int(*claims, "nbf") > at + 1) continue;
    const auto own = [&](std::initializer_list<std::string_view> path) {
      const json::value* value = find_keys(*claims, path);
      return value && value->is_string() ? std::string(value->get_string()) : std::string();
    };
    const std::string ns = own({"kubernetes.io", "namespace"});
    const std::string name = own({"kubernetes.io", "serviceaccount", "name"});
    const std::string uid = own({"kubernetes.io", "serviceaccount", "uid"});
    if (!lives(feed, "serviceaccounts", ns + "/" + name, uid)) continue;
    const std::string pod = own({"kubernetes.io", "pod", "name"});
    if (!pod.empty() &&
        !lives(feed, "pods", ns + "/" + pod, own({"kubernetes.io", "pod", "uid"}))) {
      continue;
    }
    UserInfo user;
    user.name = "system:serviceaccount:" + ns + ":" + name;
    user.uid = uid;
    user.groups = {"system:serviceaccounts", "system:serviceaccounts:" + ns,
                   "system:authenticated"};
    return user;
  }
  return std::nullopt;
}

}  // namespace coracle::apiserver
