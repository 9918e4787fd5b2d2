#include "metrics_driver/delegated_auth.hpp"

#include <algorithm>

#include "base/encoding.hpp"
#include "base/strings.hpp"

namespace coracle::metrics {
namespace {

const client::Gvr kConfigMaps{"", "v1", "configmaps", true};
const client::Gvr kTokenReviews{"authentication.k8s.io", "v1", "tokenreviews", false};
const client::Gvr kAccessReviews{"authorization.k8s.io", "v1", "subjectaccessreviews", false};

constexpr std::string_view kExtra = "x-remote-extra-";

json::value review(const char* api_version, const char* kind, json::object spec) {
  json::object o;
  o["apiVersion"] = api_version;
  o["kind"] = kind;
  o["spec"] = std::move(spec);
  return json::value(std::move(o));
}

AskingUser user_of_headers(const net::Headers& headers) {
  AskingUser user;
  user.name = headers.get("X-Remote-User");
  user.uid = headers.get("X-Remote-Uid");
  for (const auto& [name, value] : headers) {
    const std::string lower = to_lower(name);
    if (lower == "x-remote-group") user.groups.emplace_back(value);
    if (!lower.starts_with(kExtra)) continue;
    json::value& values = user.extra[lower.substr(kExtra.size())];
    if (!values.is_array()) values = json::array();
    values.get_array().emplace_back(value);
  }
  return user;
}

}  // namespace

Task<Result<FrontProxy>> fetch_front_proxy(Executor& executor, client::Api& api,
                                           Duration patience) {
  const TimePoint until = executor.now() + patience;
  while (true) {
    const auto map = co_await client::ResourceClient(api, kConfigMaps)
                         .get("kube-system", "extension-apiserver-authentication");
    if (map.ok()) {
      const json::object data = get_object(map.value(), "data");
      FrontProxy proxy;
      const json::value* ca = data.if_contains("requestheader-client-ca-file");
      if (ca != nullptr && ca->is_string()) proxy.ca_pem = ca->get_string();
      const json::value* names = data.if_contains("requestheader-allowed-names");
      const auto list =
          parse_json(names != nullptr && names->is_string() ? std::string_view(names->get_string())
                                                            : std::string_view("[]"));
      if (list.ok() && list->is_array()) {
        for (const json::value& name : list->get_array()) {
          if (name.is_string()) proxy.names.emplace_back(name.get_string());
        }
      }
      if (!proxy.ca_pem.empty()) co_return proxy;
    }
    if (executor.now() >= until) {
      co_return unavailable(
          "kube-system/extension-apiserver-authentication does not say who the front proxy is" +
          (map.ok() ? std::string() : ": " + map.error().message));
    }
    co_await sleep_on(executor, std::chrono::seconds(1));
  }
}

Task<std::optional<AskingUser>> DelegatedAuth::user_of(net::Peer peer, net::Headers headers) {
  const bool proxy = peer.cert_trusted &&
                     (proxy_.names.empty() || std::find(proxy_.names.begin(), proxy_.names.end(),
                                                        peer.cert_cn) != proxy_.names.end());
  if (proxy && headers.has("X-Remote-User")) co_return user_of_headers(headers);
  constexpr std::string_view kBearer = "Bearer ";
  const std::string_view authorization = headers.get("Authorization");
  if (!authorization.starts_with(kBearer)) co_return std::nullopt;
  const std::string token(authorization.substr(kBearer.size()));
  const std::string key = sha256(token);
  if (const auto kept = users_.find(key); kept != users_.end()) {
    if (executor_.now() < kept->second.until) co_return kept->second.value;
    users_.erase(kept);
  }
  const auto answer =
      co_await client::ResourceClient(api_, kTokenReviews)
          .create("", review("authentication.k8s.io/v1", "TokenReview", {{"token", token}}));
  if (!answer.ok() || !get_bool(answer.value(), "status.authenticated")) co_return std::nullopt;
  AskingUser user{std::string(get_string(answer.value(), "status.user.username")),
                  std::string(get_string(answer.value(), "status.user.uid")),
                  get_array(answer.value(), "status.user.groups"),
                  get_object(answer.value(), "status.user.extra")};
  if (users_.size() >= kKeptMax) users_.clear();
  users_[key] = {executor_.now() + kKept, user};
  co_return user;
}

Task<Result<DelegatedAuth::Decision>> DelegatedAuth::decide(AskingUser user, ApiTarget target,
                                                            std::string path) {
  json::object spec;
  spec["user"] = user.name;
  if (!user.uid.empty()) spec["uid"] = user.uid;
  spec["groups"] = user.groups;
  if (!user.extra.empty()) spec["extra"] = user.extra;
  if (target.resource) {
    json::object attributes{{"group", "metrics.k8s.io"},
                            {"version", "v1beta1"},
                            {"verb", target.verb},
                            {"resource", target.resource_name}};
    if (!target.ns.empty()) attributes["namespace"] = target.ns;
    if (!target.name.empty()) attributes["name"] = target.name;
    spec["resourceAttributes"] = std::move(attributes);
  } else {
    spec["nonResourceAttributes"] = json::object({{"verb", target.verb}, {"path", path}});
  }
  const std::string key = to_json(json::value(spec));
  if (const auto kept = decisions_.find(key); kept != decisions_.end()) {
    if (executor_.now() < kept->second.until) co_return kept->second.value;
    decisions_.erase(kept);
  }
  const auto answer =
      co_await client::ResourceClient(api_, kAccessReviews)
          .create("", review("authorization.k8s.io/v1", "SubjectAccessReview", std::move(spec)));
  if (!answer.ok()) co_return unavailable(answer.error().message);
  const Decision decision{get_bool(answer.value(), "status.allowed"),
                          std::string(get_string(answer.value(), "status.reason"))};
  if (decisions_.size() >= kKeptMax) decisions_.clear();
  decisions_[key] = {executor_.now() + kKept, decision};
  co_return decision;
}

}  // namespace coracle::metrics
