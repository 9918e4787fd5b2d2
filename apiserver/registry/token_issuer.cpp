#include "apiserver/registry/token_issuer.hpp"

#include <algorithm>

#include "api/object.hpp"
#include "apiserver/admission/admission.hpp"
#include "apiserver/registry/codec.hpp"
#include "base/encoding.hpp"
#include "net/pki.hpp"

namespace coracle::apiserver {

namespace {

constexpr std::int64_t kDefaultSeconds = 3600;
constexpr std::string_view kKeptIssuer = "kubernetes/serviceaccount";
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
  const json::value tree = feed.tree_at(prefix, key);
  return !tree.is_null() && api::uid_of(tree) == uid;
}

// What a token may be bound to.
struct BoundKind {
  std::string_view kind, claim, prefix;
  bool namespaced;
};
constexpr BoundKind kBoundKinds[] = {{"Pod", "pod", "pods", true},
                                     {"Secret", "secret", "secrets", true},
                                     {"Node", "node", "nodes", false}};

json::object name_and_uid(std::string_view name, std::string_view uid) {
  return {{"name", name}, {"uid", uid}};
}

}  // namespace

Outcome<Done> TokenIssuer::bind(const Machinery& m, const Context& c, const json::value& request,
                                json::object& bound) const {
  const json::value* ref = find(request, "spec.boundObjectRef");
  if (ref == nullptr || ref->is_null()) return Done{};
  const std::string_view kind = get_string(*ref, "kind"), name = get_string(*ref, "name");
  const auto* known = std::find_if(std::begin(kBoundKinds), std::end(kBoundKinds),
                                   [&](const BoundKind& one) { return one.kind == kind; });
  if (known == std::end(kBoundKinds)) {
    return api::bad_request_error("cannot bind token for serviceaccount \"" + c.info.name +
                                  "\" to object of type \"" + std::string(kind) + "\"");
  }
  const std::string key = (known->namespaced ? c.info.ns + "/" : "") + std::string(name);
  const json::value object = m.feed.tree_at(known->prefix, key);
  if (object.is_null()) return api::not_found_error({"", known->prefix}, name);
  const std::string_view uid = get_string(*ref, "uid");
  if (!uid.empty() && uid != api::uid_of(object)) {
    return api::conflict_error({"", known->prefix}, name,
                               "the UID in the bound object reference (" + std::string(uid) +
                                   ") does not match the UID in record. The object might have been "
                                   "deleted and then recreated");
  }
  if (kind == "Pod" && get_string(object, "spec.serviceAccountName") != c.info.name) {
    return api::bad_request_error("cannot bind token for serviceaccount \"" + c.info.name +
                                  "\" to pod running with different serviceaccount name.");
  }
  bound[known->claim] = name_and_uid(name, api::uid_of(object));
  const std::string node(get_string(object, "spec.nodeName"));
  if (kind == "Pod" && !node.empty()) {
    const json::value host = m.feed.tree_at("nodes", node);
    bound["node"] = name_and_uid(node, host.is_null() ? "" : api::uid_of(host));
  }
  return Done{};
}

Task<Reply> TokenIssuer::issue(Machinery& m, StoreAccess& access, Admission& admission,
                               Context& c) const {
  CO_TRY_OUTCOME(Body body, parse_body(c.request, m.catalog, "TokenRequest"));
  json::value request = body.empty ? json::value(json::object()) : std::move(body.value);
  if (find(request, "spec.expirationSeconds") == nullptr) {
    set_path(request, "spec.expirationSeconds", json::value(kDefaultSeconds));
  }
  const Outcome<Done> admitted = co_await admission.admit_body(c, "CREATE", request);
  if (!admitted.ok()) co_return admitted.error();
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
  const Outcome<Done> tied = bind(m, c, request, bound);
  if (!tied.ok()) co_return tied.error();
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

namespace {

// A token kept in a Secret, as controller-manager fills it: it does not expire, and is good as long
// as that Secret holds it and its account is there.
std::optional<UserInfo> kept_in_secret(const StoreFeed& feed, const json::value& claims,
                                       std::string_view token) {
  const auto own = [&](const char* key) {
    const json::object* all = claims.if_object();
    const json::value* value =
        all == nullptr ? nullptr
                       : find_member(*all, "kubernetes.io/serviceaccount/" + std::string(key));
    return value && value->is_string() ? std::string(value->get_string()) : std::string();
  };
  const std::string ns = own("namespace"), name = own("service-account.name");
  const std::string uid = own("service-account.uid");
  if (!lives(feed, "serviceaccounts", ns + "/" + name, uid)) return std::nullopt;
  const json::value secret = feed.tree_at("secrets", ns + "/" + own("secret.name"));
  const auto held = base64_decode(get_string(secret, "data.token"));
  if (!held.ok() || !net::constant_time_equal(*held, token) ||
      !api::deletion_timestamp_of(secret).empty()) {
    return std::nullopt;
  }
  UserInfo user;
  user.name = "system:serviceaccount:" + ns + ":" + name;
  user.uid = uid;
  user.groups = {"system:serviceaccounts", "system:serviceaccounts:" + ns, "system:authenticated"};
  return user;
}

}  // namespace

std::optional<UserInfo> TokenIssuer::check(const StoreFeed& feed, WallTime now,
                                           std::string_view token,
                                           const std::vector<std::string>& audiences,
                                           std::vector<std::string>* matched) const {
  const std::vector<std::string> wanted = audiences.empty() ? std::vector{issuer_} : audiences;
  for (const net::JwtKey& key : verifiers_) {
    const auto claims = key.verify(token);
    if (!claims.ok()) continue;
    const bool for_us = std::find(wanted.begin(), wanted.end(), issuer_) != wanted.end();
    if (get_string(*claims, "iss") == kKeptIssuer && for_us) {
      auto user = kept_in_secret(feed, *claims, token);
      if (user && matched != nullptr) *matched = {issuer_};
      return user;
    }
    const std::int64_t at = unix_seconds(now);
    std::vector<std::string> fit;
    std::copy_if(wanted.begin(), wanted.end(), std::back_inserter(fit),
                 [&](const std::string& audience) { return has_audience(*claims, audience); });
    if (get_string(*claims, "iss") != issuer_ || fit.empty()) continue;
    if (get_int(*claims, "exp") <= at || get_int(*claims, "nbf") > at + 1) continue;
    const auto own = [&](std::initializer_list<std::string_view> path) {
      const json::value* value = find_keys(*claims, path);
      return value && value->is_string() ? std::string(value->get_string()) : std::string();
    };
    const std::string ns = own({"kubernetes.io", "namespace"});
    const std::string name = own({"kubernetes.io", "serviceaccount", "name"});
    const std::string uid = own({"kubernetes.io", "serviceaccount", "uid"});
    if (!lives(feed, "serviceaccounts", ns + "/" + name, uid)) continue;
    UserInfo user;
    user.name = "system:serviceaccount:" + ns + ":" + name;
    user.uid = uid;
    user.groups = {"system:serviceaccounts", "system:serviceaccounts:" + ns,
                   "system:authenticated"};
    const bool by_pod = !own({"kubernetes.io", "pod", "name"}).empty();
    bool bound_lives = true;
    for (const BoundKind& kind : kBoundKinds) {
      const std::string held = own({"kubernetes.io", kind.claim, "name"});
      const std::string held_uid = own({"kubernetes.io", kind.claim, "uid"});
      if (held.empty()) continue;
      // A pod's token names its node, but does not hang on it.
      const bool told = kind.kind == "Node" && by_pod;
      const std::string object = (kind.namespaced ? ns + "/" : "") + held;
      if (!told && !lives(feed, kind.prefix, object, held_uid)) bound_lives = false;
      if (kind.kind == "Secret") continue;
      const std::string extra = "authentication.kubernetes.io/" + std::string(kind.claim);
      user.extra[extra + "-name"] = {held};
      if (!held_uid.empty()) user.extra[extra + "-uid"] = {held_uid};
    }
    if (!bound_lives) continue;
    user.extra["authentication.kubernetes.io/credential-id"] = {"JTI=" + own({"jti"})};
    if (matched != nullptr) *matched = std::move(fit);
    return user;
  }
  return std::nullopt;
}

json::value TokenIssuer::discovery(const std::string& server) const {
  json::object out{{"issuer", issuer_}, {"jwks_uri", server + "/openid/v1/jwks"}};
  const auto put = [&](const char* member, const char* only) {
    out[member].emplace_array().emplace_back(only);
  };
  put("response_types_supported", "id_token");
  put("subject_types_supported", "public");
  put("id_token_signing_alg_values_supported", "RS256");
  return json::value(std::move(out));
}

}  // namespace coracle::apiserver
