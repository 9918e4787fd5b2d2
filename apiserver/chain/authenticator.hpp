// Authenticator: from a connection's certificate, a bearer token and impersonation headers to a
// UserInfo. A valid certificate wins over a token; a wrong token is 401 even beside nothing else;
// no credentials at all are system:anonymous.
//
// Strand only. Tokens are compared in constant time and never logged.
// Errors: 401 Unauthorized; 400 and 403 for impersonation.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/chain/user.hpp"

namespace coracle::apiserver {

// Recognises some kind of bearer token. nullopt: not one of mine, or not valid.
using TokenCheck = std::function<std::optional<UserInfo>(std::string_view token)>;

class Authenticator {
 public:
  // Lines of `token,user,uid,"group1,group2"`. InvalidArgument names the line.
  static Result<TokenCheck> static_tokens(std::string_view csv);

  void add(TokenCheck check) { checks_.push_back(std::move(check)); }
  Outcome<UserInfo> authenticate(const net::Request& request) const;
  // nullopt: nobody's token.
  std::optional<UserInfo> by_token(std::string_view token) const;

 private:
  std::vector<TokenCheck> checks_;
};

// Whose identity a request's headers wish for.
struct Impersonation {
  UserInfo asked;  // as the headers name it: each part needs the permission to impersonate it
  UserInfo user;   // with the groups that such a user always has
};
// nullopt when there is no wish. Whether the asker may is the authoriser's.
Outcome<std::optional<Impersonation>> impersonation(const net::Request& request);

}  // namespace coracle::apiserver
