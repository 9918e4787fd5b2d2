// The gRPC services of a member. Those of the client port run wholly on the strand; the peer
// service's requests are checked on gRPC's threads, then handed to it. What a client may rely on:
// docs/store/kvstore.md.
#pragma once

#include <memory>

namespace grpc {
class Service;
}  // namespace grpc
namespace coracle::net {
class GrpcServer;
}  // namespace coracle::net

namespace coracle::store {

class ChangeDesk;
class Member;
class PeerTransport;

// Methods of the client port, for as long as it lives.
class ClientService {
 public:
  virtual ~ClientService() = default;
};

// Each adds its methods to `server`, which does not outlive it; the member outlives them all.
std::unique_ptr<ClientService> make_kv_service(Member& member, net::GrpcServer& server);
std::unique_ptr<ClientService> make_watch_service(Member& member, net::GrpcServer& server);
std::unique_ptr<ClientService> make_lease_service(Member& member, PeerTransport& transport,
                                                  net::GrpcServer& server);
std::unique_ptr<ClientService> make_maintenance_service(Member& member, net::GrpcServer& server);
std::unique_ptr<ClientService> make_cluster_service(Member& member, PeerTransport& transport,
                                                    ChangeDesk& changes, net::GrpcServer& server);
std::unique_ptr<ClientService> make_auth_service(Member& member, net::GrpcServer& server);
std::unique_ptr<ClientService> make_health_service(net::GrpcServer& server);

std::unique_ptr<grpc::Service> make_peer_service(Member& member, PeerTransport& transport,
                                                 ChangeDesk& changes);

}  // namespace coracle::store
