// RemotePort: how the apiserver reaches servers that belong to it by configuration: webhooks and
// aggregated API servers. Owned by the driver; null in worlds without a network.
//
// Thread: apiserver strand. Errors are net::Client's, in the words of Go's net packages.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <string>

#include "net/client.hpp"
#include "net/server.hpp"

namespace coracle::apiserver {

struct RemoteServer {
  std::string host;  // name or address
  std::uint16_t port = 443;
  std::string server_name;        // in its certificate; empty: host
  std::string ca_pem;             // empty: the system's
  bool insecure = false;          // its certificate is not checked
  bool front_proxy = false;       // it is shown the front proxy's certificate, so that it believes
                                  // who we say asks
  std::string cert_pem, key_pem;  // it is shown this one instead

  auto operator<=>(const RemoteServer&) const = default;
};

class RemotePort {
 public:
  virtual ~RemotePort() = default;
  // A whole answer.
  virtual Task<Result<net::Response>> call(RemoteServer server, net::ClientRequest request) = 0;
  // The answer into the exchange as it comes; an Upgrade is passed through. `failed` makes the
  // answer when there is none to pass on.
  using Failed = std::function<net::Response(const Status&)>;
  virtual void pipe(RemoteServer server, net::ClientRequest request,
                    std::shared_ptr<net::Exchange> exchange, Failed failed) = 0;
};

}  // namespace coracle::apiserver
