// BackendPort: how the apiserver reaches what runs in the cluster: kubelets, and the pods and nodes
// that clients are proxied to. Owned by the driver; null in worlds without any.
#pragma once

#include <memory>
#include <string>

#include "net/client.hpp"
#include "net/server.hpp"

namespace coracle::apiserver {

struct Backend {
  enum class Kind {
    kKubelet,  // HTTPS with the apiserver's client certificate
    kPlain,    // HTTP
    kTls,      // HTTPS, the certificate not checked: nobody signs those of pods
  };
  Kind kind = Kind::kPlain;
  std::string host;
  int port = 0;
};

struct BackendCall {
  Backend backend;
  net::ClientRequest request;  // its headers as the backend should see them
  bool upgrade = false;        // becomes bytes both ways
  // Of a proxied request: the path under which the client sees the backend's "/", and the host the
  // client asked for; redirects and links in HTML are rewritten to stay below it.
  std::string prefix, client_host;
  std::shared_ptr<net::Exchange> exchange;
};

class BackendPort {
 public:
  virtual ~BackendPort() = default;
  // Answers the exchange. What a kubelet refuses is told as a Status with its code and text, what
  // other backends say is passed on.
  virtual void connect(BackendCall call) = 0;
};

}  // namespace coracle::apiserver
