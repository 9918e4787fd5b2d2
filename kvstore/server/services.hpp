// The gRPC services of a member. Requests are checked on gRPC's threads, then handed to the strand;
// the answer leaves from there. What a client may rely on: docs/store/kvstore.md.
#pragma once

#include <grpcpp/impl/service_type.h>

#include <memory>

namespace coracle::store {

class ChangeDesk;
class Member;
class PeerTransport;

// Each must outlive the server it is registered with; the member outlives them all.
std::unique_ptr<grpc::Service> make_kv_service(Member& member);
std::unique_ptr<grpc::Service> make_watch_service(Member& member);
std::unique_ptr<grpc::Service> make_lease_service(Member& member, PeerTransport& transport);
std::unique_ptr<grpc::Service> make_maintenance_service(Member& member);
std::unique_ptr<grpc::Service> make_cluster_service(Member& member, PeerTransport& transport,
                                                    ChangeDesk& changes);
std::unique_ptr<grpc::Service> make_auth_service(Member& member);
std::unique_ptr<grpc::Service> make_peer_service(Member& member, PeerTransport& transport,
                                                 ChangeDesk& changes);

}  // namespace coracle::store
