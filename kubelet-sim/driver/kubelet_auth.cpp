#include "kubelet_driver/kubelet_auth.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.hpp"
#include "base/strings.hpp"
#include "kubelet/request_access.hpp"

namespace coracle::kubelet {
namespace {

constexpr std::string_view kApiserver = "kube-apiserver-kubelet-client";
constexpr Duration kUserKept = std::chrono::minutes(2);
constexpr Duration kAllowedKept = std::chrono::minutes(5);
constexpr Duration kDeniedKept = std::chrono::seconds(30);
constexpr size_t kKeptMax = 4096;

const client::Gvr kTokenReviews{"authentication.k8s.io", "v1", "tokenreviews", false};
const client::Gvr kAccessReviews{"authorization.k8s.io", "v1", "subjectaccessreviews", false};

json::value review(const char* api_version, const char* kind, json::object spec) {
  json::object o;
  o["apiVersion"] = api_version;
  o["kind"] = kind;
  o["spec"] = std::move(spec);
  return json::value(std::move(o));
}

}  // namespace

bool KubeletAuth::trusted(const net::Peer& peer) {
  if (!peer.cert_trusted) return false;
  return peer.cert_cn == kApiserver || std::find(peer.cert_orgs.begin(), peer.cert_orgs.end(),
                                                 "system:masters") != peer.cert_orgs.end();
}

Task<std::optional<KubeletAuth::Refusal>> KubeletAuth::check(net::Peer peer,
                                                             std::string authorization,
                                                             std::string method, std::string path,
                                                             std::string node) {
  std::optional<User> user;
  constexpr std::string_view kBearer = "Bearer ";
  if (peer.cert_trusted && !peer.cert_cn.empty()) {
    user.emplace();
    user->name = peer.cert_cn;
    for (const std::string& org : peer.cert_orgs) user->groups.emplace_back(org);
    user->groups.emplace_back("system:authenticated");
  } else if (authorization.starts_with(kBearer)) {
    user = co_await user_of_token(authorization.substr(kBearer.size()));
  }
  if (!user) co_return Refusal{401, "Unauthorized"};
  const RequestAccess access = access_of(method, path);
  for (const std::string& subresource : access.subresources) {
    const auto may = co_await allowed(*user, access.verb, subresource, node);
    if (!may.ok()) {
      co_return Refusal{
          500, fmt::format("Authorization error (user={}, verb={}, resource=nodes, subresource={})",
                           user->name, access.verb, subresource)};
    }
    if (*may) co_return std::nullopt;
  }
  co_return Refusal{
      403, fmt::format("Forbidden (user={}, verb={}, resource=nodes, subresource(s)=[{}])\n",
                       user->name, access.verb, join(access.subresources, " "))};
}

Task<std::optional<KubeletAuth::User>> KubeletAuth::user_of_token(std::string token) {
  const std::string key = sha256(token);
  if (const auto kept = users_.find(key); kept != users_.end()) {
    if (executor_.now() < kept->second.until) co_return kept->second.value;
    users_.erase(kept);
  }
  const auto answer =
      co_await client::ResourceClient(api_, kTokenReviews)
          .create("", review("authentication.k8s.io/v1", "TokenReview", {{"token", token}}));
  if (!answer.ok() || !get_bool(answer.value(), "status.authenticated")) co_return std::nullopt;
  User user;
  user.name = get_string(answer.value(), "status.user.username");
  user.uid = get_string(answer.value(), "status.user.uid");
  user.groups = get_array(answer.value(), "status.user.groups");
  user.extra = get_object(answer.value(), "status.user.extra");
  if (users_.size() >= kKeptMax) users_.clear();
  users_[key] = {executor_.now() + kUserKept, user};
  co_return user;
}

Task<Result<bool>> KubeletAuth::allowed(User user, std::string verb, std::string subresource,
                                        std::string node) {
  json::object spec;
  spec["user"] = user.name;
  if (!user.uid.empty()) spec["uid"] = user.uid;
  spec["groups"] = user.groups;
  if (!user.extra.empty()) spec["extra"] = user.extra;
  spec["resourceAttributes"] = json::object({{"verb", verb},
                                             {"version", "v1"},
                                             {"resource", "nodes"},
                                             {"subresource", subresource},
                                             {"name", node}});
  const std::string key = to_json(json::value(spec));
  if (const auto kept = decisions_.find(key); kept != decisions_.end()) {
    if (executor_.now() < kept->second.until) co_return kept->second.value;
    decisions_.erase(kept);
  }
  const auto answer =
      co_await client::ResourceClient(api_, kAccessReviews)
          .create("", review("authorization.k8s.io/v1", "SubjectAccessReview", std::move(spec)));
  if (!answer.ok()) co_return unavailable(answer.error().message);
  const bool may = get_bool(answer.value(), "status.allowed");
  if (decisions_.size() >= kKeptMax) decisions_.clear();
  decisions_[key] = {executor_.now() + (may ? kAllowedKept : kDeniedKept), may};
  co_return may;
}

}  // namespace coracle::kubelet
