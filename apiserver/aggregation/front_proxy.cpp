#include "apiserver/aggregation/front_proxy.hpp"

#include "base/encoding.hpp"
#include "base/strings.hpp"

namespace coracle::apiserver {

namespace {

bool starts_like(std::string_view name, std::string_view prefix) {
  return name.size() >= prefix.size() && iequals(name.substr(0, prefix.size()), prefix);
}

bool stays_here(std::string_view name) {
  for (const char* own :
       {"Authorization", "Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization",
        "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "Host",
        "Content-Length", "User-Agent", "Expect", "X-Forwarded-For"}) {
    if (iequals(name, own)) return true;
  }
  return starts_like(name, "Impersonate-") || starts_like(name, "X-Remote-");
}

void add_user(const UserInfo& user, net::Headers& headers) {
  headers.add(std::string(kRemoteUser), user.name);
  if (!user.uid.empty()) headers.add(std::string(kRemoteUid), user.uid);
  for (const std::string& group : user.groups) headers.add(std::string(kRemoteGroup), group);
  for (const auto& [key, values] : user.extra) {
    for (const std::string& value : values) {
      headers.add(std::string(kRemoteExtra) + percent_encode(key), value);
    }
  }
}

}  // namespace

net::ClientRequest proxied_request(const net::Request& request, const UserInfo& user) {
  net::ClientRequest out;
  out.method = request.method;
  out.target = request.target;
  out.body = request.body;
  for (const auto& [name, value] : request.headers) {
    if (!stays_here(name) && !request.headers.has_token("Connection", name)) {
      out.headers.add(name, value);
    }
  }
  std::string forwarded(request.headers.get("X-Forwarded-For"));
  forwarded += (forwarded.empty() ? "" : ", ") + request.peer.address;
  if (!forwarded.empty()) out.headers.add("X-Forwarded-For", forwarded);
  add_user(user, out.headers);
  if (request.headers.has_token("Connection", "upgrade") && request.headers.has("Upgrade")) {
    out.headers.add("Connection", "Upgrade");
    out.headers.add("Upgrade", std::string(request.headers.get("Upgrade")));
  }
  return out;
}

net::ClientRequest aggregator_request(std::string target, std::string_view accept) {
  net::ClientRequest out;
  out.target = std::move(target);
  out.headers.add("Accept", std::string(accept));
  UserInfo self;
  self.name = "system:kube-aggregator";
  self.groups = {std::string(kMasters)};
  add_user(self, out.headers);
  return out;
}

}  // namespace coracle::apiserver
