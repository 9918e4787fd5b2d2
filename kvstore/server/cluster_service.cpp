// Cluster and Auth: who the members are; and what a store without users answers about users.
#include "etcd/rpc.grpc.pb.h"
#include "server/services.hpp"
#include "server/unary.hpp"

namespace coracle::store {
namespace {

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

// Adding, removing, updating and promoting members answer UNIMPLEMENTED, as the base class does.
class ClusterService final : public pb::Cluster::CallbackService {
 public:
  explicit ClusterService(Member& member) : member_(member) {}

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

 private:
  void fill(pb::MemberListResponse* response) const {
    auto* header = response->mutable_header();
    member_.fill_header(header);
    header->set_revision(0);  // as stock servers answer
    for (const auto& [id, member] : member_.machine().members()) *response->add_members() = member;
  }

  Member& member_;
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

std::unique_ptr<grpc::Service> make_cluster_service(Member& member) {
  return std::make_unique<ClusterService>(member);
}

std::unique_ptr<grpc::Service> make_auth_service(Member& member) {
  return std::make_unique<AuthService>(member);
}

}  // namespace coracle::store
