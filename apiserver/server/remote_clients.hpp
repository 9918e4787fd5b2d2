// RemoteClients: the live RemotePort: HTTPS to webhooks and aggregated API servers.
//
// Strand of the executor. Bounds: kClientsMax servers are kept connected, the one unused for
// longest goes; kCallsMax calls under way, more are refused; piped answers by net::forward.
#pragma once

#include <map>

#include "apiserver/remote/remote.hpp"
#include "net/asio_executor.hpp"

namespace coracle::apiserver {

// What the front proxy shows to aggregated API servers; empty: it has no certificate.
struct FrontProxyCredentials {
  std::string cert_pem, key_pem;
};

class RemoteClients final : public RemotePort {
 public:
  static constexpr std::size_t kClientsMax = 128;
  static constexpr std::size_t kCallsMax = 2000;

  RemoteClients(net::AsioExecutor& executor, FrontProxyCredentials credentials)
      : executor_(executor), credentials_(std::move(credentials)) {}

  Task<Result<net::Response>> call(RemoteServer server, net::ClientRequest request) override;
  void pipe(RemoteServer server, net::ClientRequest request,
            std::shared_ptr<net::Exchange> exchange, Failed failed) override;

 private:
  struct Entry {
    std::shared_ptr<net::Client> client;
    std::uint64_t used = 0;  // when, in calls
  };
  Result<std::shared_ptr<net::Client>> client(const RemoteServer& server);
  void make_room();

  net::AsioExecutor& executor_;
  const FrontProxyCredentials credentials_;
  std::map<RemoteServer, Entry> clients_;
  std::uint64_t clock_ = 0;
  std::size_t under_way_ = 0;
};

}  // namespace coracle::apiserver
