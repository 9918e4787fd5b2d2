// Cluster and Auth: who the members are; and what a store without users answers about users.
#include <grpc/support/time.h>

#include <algorithm>

#include "etcd/rpc.grpc.pb.h"
#include "member/change_desk.hpp"
#include "member/peer_codec.hpp"
#include "raft/peer.grpc.pb.h"
#include "server/options.hpp"
#include "server/peer_transport.hpp"
#include "server/services.hpp"
#include "server/unary.hpp"

namespace coracle::store {
namespace {

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

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

class ClusterService final : public pb::Cluster::CallbackService {
 public:
  ClusterService(Member& member, PeerTransport& transport, ChangeDesk& changes)
      : member_(member), transport_(transport), changes_(changes) {}

  ServerUnaryReactor* MemberList(CallbackServerContext* context,
                                 const pb::MemberListRequest* request,
                                 pb::MemberListResponse* response) override {
    return on_strand(member_, context,
                     [this, linearizable = request->linearizable(), response](auto done) {
                       auto serve = [this, response, done](const Status& fresh) {
                         if (!fresh.ok()) return done(fresh);
                         fill(response);
                         done({});
                       };
                       linearizable ? member_.read(serve) : serve({});
                     });
  }

  ServerUnaryReactor* MemberAdd(CallbackServerContext* context, const pb::MemberAddRequest* request,
                                pb::MemberAddResponse* response) override {
    auto urls = peer_urls_of(request->peerurls());
    if (!urls.ok()) return finish(context, urls.status());
    MemberChange change{MemberChange::Kind::kAdd, {}, *std::move(urls), request->islearner()};
    return answer(context, std::move(change), [this, response](NodeId id) {
      fill(response);
      const auto added = member_.machine().members().find(id);
      if (added != member_.machine().members().end()) *response->mutable_member() = added->second;
    });
  }

  ServerUnaryReactor* MemberRemove(CallbackServerContext* context,
                                   const pb::MemberRemoveRequest* request,
                                   pb::MemberRemoveResponse* response) override {
    return answer(context, {MemberChange::Kind::kRemove, NodeId(request->id()), {}, false},
                  [this, response](NodeId) { fill(response); });
  }

  ServerUnaryReactor* MemberPromote(CallbackServerContext* context,
                                    const pb::MemberPromoteRequest* request,
                                    pb::MemberPromoteResponse* response) override {
    return answer(context, {MemberChange::Kind::kPromote, NodeId(request->id()), {}, false},
                  [this, response](NodeId) { fill(response); });
  }

  // Addresses count in no quorum: an entry like any other.
  ServerUnaryReactor* MemberUpdate(CallbackServerContext* context,
                                   const pb::MemberUpdateRequest* request,
                                   pb::MemberUpdateResponse* response) override {
    const auto urls = peer_urls_of(request->peerurls());
    if (!urls.ok()) return finish(context, urls.status());
    Proposal proposal;
    proposal.mutable_member_update()->set_id(request->id());
    for (const std::string& url : *urls) proposal.mutable_member_update()->add_peerurls(url);
    return propose_call(member_, context, std::move(proposal),
                        [this, response](Outcome&) { fill(response); });
  }

 private:
  using Done = ChangeDesk::Done;

  template <class Response>
  void fill(Response* response) const {
    auto* header = response->mutable_header();
    member_.fill_header(header);
    header->set_revision(0);  // as stock servers answer
    for (const auto& [id, member] : member_.machine().members()) *response->add_members() = member;
  }

  // Makes the change, waits until it is known here too, then lets `fill(id)` make the response.
  template <class Fill>
  ServerUnaryReactor* answer(CallbackServerContext* context, MemberChange change, Fill fill) {
    return on_strand(member_, context, [this, change = std::move(change), fill](auto done) {
      const TimePoint deadline = member_.loop().now() + member_.options().request_timeout();
      make(change, deadline, [this, fill, done](const Result<NodeId>& changed) {
        if (!changed.ok()) return done(changed.status());
        member_.read([fill, done, id = *changed](const Status&) {
          fill(id);  // the change is made, whether the read could be confirmed or not
          done({});
        });
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

class AuthService final : public pb::Auth::CallbackService {
 public:
  explicit AuthService(Member& member) : member_(member) {}

  ServerUnaryReactor* AuthStatus(CallbackServerContext* context, const pb::AuthStatusRequest*,
                                 pb::AuthStatusResponse* response) override {
    response->set_authrevision(1);
    return with_header(context, response);
  }
  ServerUnaryReactor* AuthDisable(CallbackServerContext* context, const pb::AuthDisableRequest*,
                                  pb::AuthDisableResponse* response) override {
    return with_header(context, response);
  }
  ServerUnaryReactor* UserList(CallbackServerContext* context, const pb::AuthUserListRequest*,
                               pb::AuthUserListResponse* response) override {
    return with_header(context, response);
  }
  ServerUnaryReactor* RoleList(CallbackServerContext* context, const pb::AuthRoleListRequest*,
                               pb::AuthRoleListResponse* response) override {
    return with_header(context, response);
  }
  ServerUnaryReactor* Authenticate(CallbackServerContext* context, const pb::AuthenticateRequest*,
                                   pb::AuthenticateResponse*) override {
    return finish(context, failed_precondition("etcdserver: authentication is not enabled"));
  }
  ServerUnaryReactor* AuthEnable(CallbackServerContext* context, const pb::AuthEnableRequest*,
                                 pb::AuthEnableResponse*) override {
    return finish(context, failed_precondition("etcdserver: root user does not exist"));
  }
  ServerUnaryReactor* UserGet(CallbackServerContext* context, const pb::AuthUserGetRequest*,
                              pb::AuthUserGetResponse*) override {
    return finish(context, failed_precondition("etcdserver: user name not found"));
  }

 private:
  template <class Response>
  ServerUnaryReactor* with_header(CallbackServerContext* context, Response* response) {
    return on_strand(member_, context, [this, response](auto done) {
      member_.fill_header(response->mutable_header());
      done({});
    });
  }

  Member& member_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_cluster_service(Member& member, PeerTransport& transport,
                                                    ChangeDesk& changes) {
  return std::make_unique<ClusterService>(member, transport, changes);
}

std::unique_ptr<grpc::Service> make_auth_service(Member& member) {
  return std::make_unique<AuthService>(member);
}

}  // namespace coracle::store
