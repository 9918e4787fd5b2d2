// Bootstrap tokens: `abcdef.0123456789abcdef`, by which a new node asks for its first certificate.
// Each is a Secret kube-system/bootstrap-token-ID; its user is system:bootstrap:ID.
#pragma once

#include <optional>
#include <string_view>

#include "apiserver/cache/feed.hpp"
#include "apiserver/chain/user.hpp"
#include "base/clock.hpp"

namespace coracle::apiserver::rbac {

// nullopt: not such a token, or not one that may be used for this now.
std::optional<UserInfo> bootstrap_token_user(const StoreFeed& feed, WallTime now,
                                             std::string_view token);

}  // namespace coracle::apiserver::rbac
