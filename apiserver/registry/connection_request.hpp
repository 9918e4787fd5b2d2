// From a client's request to the one a backend gets: paths, parameters, headers. Pure.
#pragma once

#include <optional>
#include <string>

#include "net/client.hpp"
#include "net/server.hpp"

namespace coracle::apiserver {

struct PodContainer {
  std::string ns, pod, container;
};

// log, exec, attach, portforward of a pod as its kubelet names them: /exec/NS/POD/CONTAINER with
// input, output, error, tty and command; /portForward/NS/POD with port; /containerLogs/... with the
// client's own parameters. An upgrade to WebSocket becomes a GET.
net::ClientRequest kubelet_request(const net::Request& request, const std::string& subresource,
                                   const PodContainer& what);

// "/api/v1/namespaces/a/pods/x/proxy" and what is behind it, escapes kept: "" or "/...".
struct ProxyPath {
  std::string prefix, rest;
};
ProxyPath proxy_path(const std::string& path, bool namespaced);

net::ClientRequest proxied_request(const net::Request& request, const ProxyPath& path,
                                   bool upgrade);

// NAME, NAME:PORT or SCHEME:NAME:PORT with scheme "", http or https.
struct SchemeNamePort {
  std::string scheme, name, port;
};
std::optional<SchemeNamePort> split_scheme_name_port(const std::string& id);

}  // namespace coracle::apiserver
