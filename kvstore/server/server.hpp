// Server: the gRPC servers of a member: one for clients, on its strand, and one for its peers, on
// gRPC's threads.
// Owner: main. start() fails naming the URL that cannot be listened on (a port in use).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.hpp"

namespace grpc {
class Server;
class Service;
}  // namespace grpc
namespace coracle::net {
class AsioExecutor;
class GrpcServer;
}  // namespace coracle::net

namespace coracle::store {

class ChangeDesk;
class ClientService;
class Member;
class PeerTransport;
struct Options;

class Server {
 public:
  // All outlive it; `executor` is what the member's strand runs on.
  Server(net::AsioExecutor& executor, Member& member, PeerTransport& transport,
         const Options& options);
  ~Server();

  Status start();
  // When the strand has ended: what was answered gets a moment to leave, then calls are cut.
  void stop();

 private:
  Status start_clients();

  net::AsioExecutor& executor_;
  const Options& options_;
  const std::unique_ptr<ChangeDesk> changes_;
  std::unique_ptr<grpc::Service> peer_service_;
  std::unique_ptr<grpc::Server> peer_server_;
  std::vector<std::unique_ptr<ClientService>> client_services_;
  std::unique_ptr<net::GrpcServer> client_server_;  // goes before them
};

}  // namespace coracle::store
