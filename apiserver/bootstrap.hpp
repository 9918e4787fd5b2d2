// Bootstrap: the objects every cluster has from its first minute: system namespaces, the service
// kubernetes with its endpoints, system priority classes, the client CA for delegated
// authentication. What is there already is left alone.
#pragma once

#include "apiserver/registry/registry.hpp"

namespace coracle::apiserver {

struct ServerAddress {
  std::string ip = "127.0.0.1";
  int port = 6443;
};

// As a create without a client: no admission, but the same defaults and stamps. Ok also when the
// object is there.
Task<Status> create_as_server(Machinery& m, Registry& registry, json::value object);

// Ok when everything is there; Unavailable: try again.
Task<Status> bootstrap(Machinery& m, Registry& registry, ServerAddress address,
                       std::string client_ca_pem);

}  // namespace coracle::apiserver
