// Server: the gRPC servers of a member, one for clients and one for its peers.
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

namespace coracle::store {

class ChangeDesk;
class Member;
class PeerTransport;
struct Options;

class Server {
 public:
  // All three outlive it.
  Server(Member& member, PeerTransport& transport, const Options& options);
  ~Server();

  Status start();
  // New calls are refused; running ones get a moment, then they are cut.
  void stop();

 private:
  const Options& options_;
  const std::unique_ptr<ChangeDesk> changes_;
  std::vector<std::unique_ptr<grpc::Service>> client_services_, peer_services_;
  std::unique_ptr<grpc::Server> client_server_, peer_server_;
};

}  // namespace coracle::store
