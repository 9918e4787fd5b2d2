// front_proxy: a request as an aggregated API server is sent it: who asks is told in X-Remote-*
// headers, which it believes because we show the front proxy's certificate. Pure.
#pragma once

#include "apiserver/chain/user.hpp"
#include "net/client.hpp"

namespace coracle::apiserver {

inline constexpr std::string_view kRemoteUser = "X-Remote-User";
inline constexpr std::string_view kRemoteGroup = "X-Remote-Group";
inline constexpr std::string_view kRemoteUid = "X-Remote-Uid";
inline constexpr std::string_view kRemoteExtra = "X-Remote-Extra-";

// The client's own credentials, impersonation and X-Remote-* headers do not go on; an Upgrade does.
net::ClientRequest proxied_request(const net::Request& request, const UserInfo& user);
// A request of the apiserver itself, as system:kube-aggregator.
net::ClientRequest aggregator_request(std::string target, std::string_view accept);

}  // namespace coracle::apiserver
