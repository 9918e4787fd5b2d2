// Bootstrap: the objects every cluster has from its first minute: system namespaces, the service
// kubernetes with its endpoints, system priority classes, the client CA for delegated
// authentication. What is there already is left alone, but for the CAs.
#pragma once

#include "apiserver/registry/registry.hpp"

namespace coracle::apiserver {

struct ServerAddress {
  std::string ip = "127.0.0.1";
  int port = 6443;
};

// What aggregated API servers are told in kube-system/extension-apiserver-authentication: whose
// client certificates mean users, and whose mean that a request comes through us.
struct TrustedCas {
  std::string client_pem, front_proxy_pem;
  std::vector<std::string> front_proxy_names;  // common names; empty: any
};

// As a create without a client: no admission, but the same defaults and stamps. Ok also when the
// object is there.
Task<Status> create_as_server(Machinery& m, Registry& registry, json::value object);

// Ok when everything is there; Unavailable: try again.
Task<Status> bootstrap(Machinery& m, Registry& registry, ServerAddress address, TrustedCas cas);

}  // namespace coracle::apiserver
