// TokenIssuer: service account tokens: makes them (serviceaccounts/token) and knows its own again.
// Claims as KUBE-CONTRACT 1.2 has them. The strand's; keys are constant.
#pragma once

#include <optional>

#include "apiserver/registry/store_access.hpp"
#include "net/jwt.hpp"

namespace coracle::apiserver {

class Admission;

class TokenIssuer {
 public:
  TokenIssuer(std::string issuer, net::JwtKey signer, std::vector<net::JwtKey> verifiers)
      : issuer_(std::move(issuer)), signer_(std::move(signer)), verifiers_(std::move(verifiers)) {}

  const std::string& issuer() const { return issuer_; }
  const net::JwtKey& signer() const { return signer_; }
  // POST serviceaccounts/NAME/token.
  Task<Reply> issue(Machinery& m, StoreAccess& access, Admission& admission, Context& c) const;
  // The user of a token that is ours, unexpired, for one of `audiences` (none: for this server;
  // those it is for go to `matched`), and whose account, and the Pod, Node or Secret it is bound
  // to, are in the caches; nullopt otherwise.
  std::optional<UserInfo> check(const StoreFeed& feed, WallTime now, std::string_view token,
                                const std::vector<std::string>& audiences = {},
                                std::vector<std::string>* matched = nullptr) const;
  // The OpenID provider document; `server` is how this one is reached.
  json::value discovery(const std::string& server) const;

 private:
  Outcome<Done> bind(const Machinery& m, const Context& c, const json::value& request,
                     json::object& bound) const;

  std::string issuer_;
  net::JwtKey signer_;
  std::vector<net::JwtKey> verifiers_;
};

}  // namespace coracle::apiserver
