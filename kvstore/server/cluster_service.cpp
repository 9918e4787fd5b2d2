// Cluster and Auth: who the members are; and what a store without users answers about users.
#include <grpc/support/time.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>

#include "etcd/rpc.pb.h"
#include "member/change_desk.hpp"
#include "member/peer_codec.hpp"
#include "raft/peer.grpc.pb.h"
#include "server/calls.hpp"
#include "server/options.hpp"
#include "server/peer_transport.hpp"
#include "server/services.hpp"

namespace coracle::store {
namespace {

constexpr Duration kRetryAfter = std::chrono::milliseconds(50);

// Sorted, as members are told of.
Result<Urls> peer_urls_of(const google::protobuf::RepeatedPtrField<std::string>& given) {
  Urls urls(given.begin(), given.end());
  if (urls.empty()) return err_bad_member_urls();
  for (const std::string& url : urls) {
    if (!target_of(url).ok()) return err_bad_member_urls();
  }
  std::sort(urls.begin(), urls.end());
  return urls;
}

struct ChangeCall {
  grpc::ClientContext context;
  ChangeRequest request;
  ChangeReply reply;
  std::unique_ptr<Peer::Stub> stub;
};

class ClusterService final : public ClientService {
 public:
  ClusterService(Member& member, PeerTransport& transport, ChangeDesk& changes,
                 net::GrpcServer& server)
      : member_(member), transport_(transport), changes_(changes) {
    add_call(server, "/etcdserverpb.Cluster/MemberList", this, &ClusterService::list);
    add_call(server, "/etcdserverpb.Cluster/MemberAdd", this, &ClusterService::add);
    add_call(server, "/etcdserverpb.Cluster/MemberRemove", this, &ClusterService::remove);
    add_call(server, "/etcdserverpb.Cluster/MemberPromote", this, &ClusterService::promote);
    add_call(server, "/etcdserverpb.Cluster/MemberUpdate", this, &ClusterService::update);
  }

 private:
  using Done = ChangeDesk::Done;
  using ListCall = Call<pb::MemberListRequest, pb::MemberListResponse>;
  using AddCall = Call<pb::MemberAddRequest, pb::MemberAddResponse>;
  using RemoveCall = Call<pb::MemberRemoveRequest, pb::MemberRemoveResponse>;
  using PromoteCall = Call<pb::MemberPromoteRequest, pb::MemberPromoteResponse>;
  using UpdateCall = Call<pb::MemberUpdateRequest, pb::MemberUpdateResponse>;

  void list(ListCall call) {
    const Status served = check_served(member_, call.reply());
    if (!served.ok()) return call.done(served);
    read_call(member_, call, call.request().linearizable(), [this, call] {
      fill(call.response());
      return Status();
    });
  }

  void add(AddCall call) {
    auto urls = peer_urls_of(call.request().peerurls());
    if (!urls.ok()) return call.done(urls.status());
    MemberChange change{MemberChange::Kind::kAdd, {}, *std::move(urls), call.request().islearner()};
    answer(call, std::move(change), [this, call](NodeId id) {
      fill(call.response());
      const auto added = member_.machine().members().find(id);
      if (added != member_.machine().members().end()) {
        *call.response()->mutable_member() = added->second;
      }
    });
  }

  void remove(RemoveCall call) {
    answer(call, {MemberChange::Kind::kRemove, NodeId(call.request().id()), {}, false},
           [this, call](NodeId) { fill(call.response()); });
  }

  void promote(PromoteCall call) {
    answer(call, {MemberChange::Kind::kPromote, NodeId(call.request().id()), {}, false},
           [this, call](NodeId) { fill(call.response()); });
  }

  // Addresses count in no quorum: an entry like any other.
  void update(UpdateCall call) {
    const auto urls = peer_urls_of(call.request().peerurls());
    if (!urls.ok()) return call.done(urls.status());
    Proposal proposal;
    proposal.mutable_member_update()->set_id(call.request().id());
    for (const std::string& url : *urls) proposal.mutable_member_update()->add_peerurls(url);
    propose_call(member_, call, std::move(proposal),
                 [this, call](Outcome&) { fill(call.response()); });
  }

  template <class Response>
  void fill(Response* response) const {
    auto* header = response->mutable_header();
    member_.fill_header(header);
    header->set_revision(0);  // as stock servers answer
    for (const auto& [id, member] : member_.machine().members()) *response->add_members() = member;
  }

  // Makes the change, waits until it is known here too, then lets `fill(id)` make the response.
  template <class AnyCall, class Fill>
  void answer(AnyCall call, MemberChange change, Fill fill) {
    const Status served = check_served(member_, call.reply());
    if (!served.ok()) return call.done(served);
    const TimePoint deadline = member_.loop().now() + member_.options().request_timeout();
    make(change, deadline, [this, fill, call](const Result<NodeId>& changed) {
      if (!changed.ok()) return call.done(changed.status());
      member_.read([fill, call, id = *changed](const Status&) {
        fill(id);  // the change is made, whether the read could be confirmed or not
        call.done({});
      });
    });
  }

  // Here if this member leads, else at the leader. A change that nobody took is tried again.
  void make(const MemberChange& change, TimePoint deadline, Done done) {
    if (member_.loop().now() >= deadline) return done(err_timeout());
    auto again = [=, this] {
      member_.loop().after(kRetryAfter, [=, this] { make(change, deadline, done); });
    };
    if (member_.core().role() == raft::Role::kLeader) {
      return changes_.submit(change, [done, again](const Result<NodeId>& changed) {
        changed.status() == err_not_leader() ? again() : done(changed);
      });
    }
    const auto channel = transport_.channel(member_.core().leader());
    if (channel == nullptr) return again();
    auto call = std::make_shared<ChangeCall>();
    encode(change, &call->request);
    call->request.set_cluster(member_.identity().cluster);
    call->stub = Peer::NewStub(channel);
    call->context.set_deadline(
        gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                     gpr_time_from_nanos((deadline - member_.loop().now()).count(), GPR_TIMESPAN)));
    call->stub->async()->Change(
        &call->context, &call->request, &call->reply, [=, this](const grpc::Status& status) {
          member_.loop().post([=] {
            if (status.ok()) return done(NodeId(call->reply.id()));
            const Status refused{Code(int(status.error_code())), status.error_message()};
            if (refused == err_not_leader()) return again();
            // In etcd's words: the leader's answer. Else nobody knows what became of it.
            const bool answered = refused.message().starts_with("etcdserver: ");
            done(answered ? refused : err_timeout_connection_lost());
          });
        });
  }

  Member& member_;
  PeerTransport& transport_;
  ChangeDesk& changes_;
};

class AuthService final : public ClientService {
 public:
  AuthService(Member& member, net::GrpcServer& server) : member_(member) {
    add_call(server, "/etcdserverpb.Auth/AuthStatus", this, &AuthService::auth_status);
    with_header<pb::AuthDisableRequest, pb::AuthDisableResponse>(server, "AuthDisable");
    with_header<pb::AuthUserListRequest, pb::AuthUserListResponse>(server, "UserList");
    with_header<pb::AuthRoleListRequest, pb::AuthRoleListResponse>(server, "RoleList");
    refused(server, "Authenticate", "etcdserver: authentication is not enabled");
    refused(server, "AuthEnable", "etcdserver: root user does not exist");
    refused(server, "UserGet", "etcdserver: user name not found");
  }

 private:
  void auth_status(Call<pb::AuthStatusRequest, pb::AuthStatusResponse> call) {
    call.response()->set_authrevision(1);
    answer(call);
  }

  template <class AnyCall>
  void answer(const AnyCall& call) {
    member_.fill_header(call.response()->mutable_header());
    call.done(check_served(member_, call.reply()));
  }

  template <class Request, class Response>
  void with_header(net::GrpcServer& server, const std::string& method) {
    add_call(server, "/etcdserverpb.Auth/" + method, this,
             &AuthService::answer_by_value<Request, Response>);
  }
  template <class Request, class Response>
  void answer_by_value(Call<Request, Response> call) {
    answer(call);
  }

  static void refused(net::GrpcServer& server, const std::string& method, const char* why) {
    server.add_unary("/etcdserverpb.Auth/" + method,
                     [why](const std::string&, const std::shared_ptr<net::GrpcReply>& reply) {
                       reply->finish(failed_precondition(why));
                     });
  }

  Member& member_;
};

}  // namespace

std::unique_ptr<ClientService> make_cluster_service(Member& member, PeerTransport& transport,
                                                    ChangeDesk& changes, net::GrpcServer& server) {
  return std::make_unique<ClusterService>(member, transport, changes, server);
}

std::unique_ptr<ClientService> make_auth_service(Member& member, net::GrpcServer& server) {
  return std::make_unique<AuthService>(member, server);
}

}  // namespace coracle::store
