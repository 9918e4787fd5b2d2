// What lets a new node in, in kubeadm's names: the token, the published cluster-info, and the
// bindings by which tokens may ask for certificates and get them. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"

namespace coracle::lab {

struct JoinToken {
  std::string id, secret;  // 6 and 16 of [a-z0-9]
  WallTime expires;
};

struct NamedObject {
  std::string collection;  // where it is made
  json::value body;
};

NamedObject token_secret(const JoinToken& token);
// `server` and the CA that joining nodes are told of.
std::vector<NamedObject> join_objects(const std::string& server, const std::string& ca_pem);

}  // namespace coracle::lab
