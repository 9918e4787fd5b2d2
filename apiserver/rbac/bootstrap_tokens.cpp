#include "apiserver/rbac/bootstrap_tokens.hpp"

#include <algorithm>

#include "api/object.hpp"
#include "base/encoding.hpp"
#include "base/strings.hpp"
#include "net/pki.hpp"

namespace coracle::apiserver::rbac {

namespace {

constexpr std::size_t kIdLength = 6, kSecretLength = 16;
constexpr std::string_view kType = "bootstrap.kubernetes.io/token";
constexpr std::string_view kGroup = "system:bootstrappers";

bool is_word(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

std::string datum(const json::value& secret, std::string_view key) {
  const json::value* value = find_member(get_object(secret, "data"), key);
  if (value == nullptr || !value->is_string()) return {};
  auto text = base64_decode(value->get_string());
  return text.ok() ? *std::move(text) : std::string();
}

}  // namespace

std::optional<UserInfo> bootstrap_token_user(const StoreFeed& feed, WallTime now,
                                             std::string_view token) {
  if (token.size() != kIdLength + 1 + kSecretLength || token[kIdLength] != '.') return std::nullopt;
  const std::string id(token.substr(0, kIdLength));
  const std::string_view secret = token.substr(kIdLength + 1);
  if (!is_word(id) || !is_word(secret)) return std::nullopt;
  const ResourceCache* cache = feed.cache("secrets");
  const ObjectPtr found = cache ? cache->find("kube-system/bootstrap-token-" + id) : nullptr;
  if (!found) return std::nullopt;
  const auto tree = parse_json("{" + *found->tail());
  CHECK(tree.ok());
  if (get_string(*tree, "type") != kType || !api::deletion_timestamp_of(*tree).empty() ||
      datum(*tree, "token-id") != id ||
      !net::constant_time_equal(datum(*tree, "token-secret"), secret) ||
      datum(*tree, "usage-bootstrap-authentication") != "true") {
    return std::nullopt;
  }
  const std::string expiration = datum(*tree, "expiration");
  if (!expiration.empty()) {
    const auto until = parse_time(expiration);
    if (!until.ok() || *until <= now) return std::nullopt;
  }
  UserInfo user{"system:bootstrap:" + id, "", {std::string(kGroup)}, {}};
  for (const std::string& group : split(datum(*tree, "auth-extra-groups"), ',')) {
    if (group.starts_with(std::string(kGroup) + ":")) user.groups.push_back(group);
  }
  return user;
}

}  // namespace coracle::apiserver::rbac
