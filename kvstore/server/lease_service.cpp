// Lease: grants and revocations go through the log, renewals to the leader's clock.
#include "base/rng.hpp"
#include "etcd/rpc.pb.h"
#include "member/errors.hpp"
#include "mvcc/errors.hpp"
#include "server/calls.hpp"
#include "server/lease_desk.hpp"
#include "server/services.hpp"

namespace coracle::store {
namespace {

constexpr std::uint64_t kGrantCost = 64;  // against the space quota

// One question at a time, in order: renew, answer, the next.
class KeepAliveStream final : public net::GrpcServerStream,
                              public std::enable_shared_from_this<KeepAliveStream> {
 public:
  static constexpr std::size_t kWaitingMax = 1000;  // a client that asks for more is cut off

  KeepAliveStream(Member& member, LeaseDesk& desk, std::shared_ptr<net::GrpcReply> reply)
      : member_(member),
        desk_(desk),
        reply_(std::move(reply)),
        leader_needed_(requires_leader(*reply_)) {}

  void on_message(std::string message) override {
    if (waiting_.size() >= kWaitingMax) return reply_->finish(err_too_many_requests());
    waiting_.push_back(std::move(message));
    if (waiting_.size() == 1) renew();
  }
  void on_input_end() override {
    input_ended_ = true;
    if (waiting_.empty()) reply_->finish({});
  }
  void on_gone() override { waiting_.clear(); }

  bool leader_needed() const { return leader_needed_; }
  // Looks again and again, as long as the stream lives.
  void watch_leader() {
    if (reply_->over()) return;
    if (member_.long_without_leader()) return reply_->finish(err_no_leader());
    member_.loop().after(member_.options().election,
                         [self = shared_from_this()] { self->watch_leader(); });
  }

 private:
  void renew() {
    pb::LeaseKeepAliveRequest request;
    if (!request.ParseFromString(waiting_.front())) return reply_->finish(err_unreadable());
    if (const Status status = check_served(member_, *reply_); !status.ok()) {
      return reply_->finish(status);
    }
    pb::LeaseKeepAliveResponse response;
    response.set_id(request.id());
    member_.fill_header(response.mutable_header());  // the revision from before the renewal
    desk_.renew(LeaseId(request.id()),
                [self = shared_from_this(), response = std::move(response)](
                    Result<std::int64_t> ttl) mutable { self->answer(std::move(response), ttl); });
  }

  void answer(pb::LeaseKeepAliveResponse response, const Result<std::int64_t>& ttl) {
    if (reply_->over() || waiting_.empty()) return;
    if (!ttl.ok()) return reply_->finish(ttl.status());
    response.set_ttl(*ttl);
    reply_->send(wire_of(response));
    waiting_.pop_front();
    if (!waiting_.empty()) {
      renew();
    } else if (input_ended_) {
      reply_->finish({});
    }
  }

  Member& member_;
  LeaseDesk& desk_;
  const std::shared_ptr<net::GrpcReply> reply_;
  const bool leader_needed_;
  std::deque<std::string> waiting_;  // the first is being asked
  bool input_ended_ = false;
};

class LeaseService final : public ClientService {
 public:
  LeaseService(Member& member, PeerTransport& transport, net::GrpcServer& server)
      : member_(member), desk_(member, transport), rng_(secure_random_seed()) {
    add_call(server, "/etcdserverpb.Lease/LeaseGrant", this, &LeaseService::grant);
    add_call(server, "/etcdserverpb.Lease/LeaseRevoke", this, &LeaseService::revoke);
    add_call(server, "/etcdserverpb.Lease/LeaseTimeToLive", this, &LeaseService::time_to_live);
    add_call(server, "/etcdserverpb.Lease/LeaseLeases", this, &LeaseService::leases);
    server.add_stream(
        "/etcdserverpb.Lease/LeaseKeepAlive",
        [this](std::shared_ptr<net::GrpcReply> reply) { return keep_alive(std::move(reply)); });
  }

 private:
  using GrantCall = Call<pb::LeaseGrantRequest, pb::LeaseGrantResponse>;
  using RevokeCall = Call<pb::LeaseRevokeRequest, pb::LeaseRevokeResponse>;
  using TimeToLiveCall = Call<pb::LeaseTimeToLiveRequest, pb::LeaseTimeToLiveResponse>;
  using LeasesCall = Call<pb::LeaseLeasesRequest, pb::LeaseLeasesResponse>;

  void grant(GrantCall call) {
    Status status = lease::check_grant(call.request().ttl());
    if (status.ok()) status = check_served(member_, call.reply());
    if (!status.ok()) return call.done(status);
    if (member_.over_quota(kGrantCost)) return member_.refuse_growth(call);
    Proposal proposal;
    *proposal.mutable_lease_grant() = call.request();
    if (call.request().id() == 0) {
      proposal.mutable_lease_grant()->set_id(member_.machine().lessor().pick_id(rng_).value);
    }
    propose_call(member_, call, std::move(proposal), [this, call](const Outcome& outcome) {
      const auto& granted = std::get<lease::Granted>(outcome.value);
      call.response()->set_id(granted.id.value);
      call.response()->set_ttl(granted.ttl_seconds);
      call.response()->mutable_header()->set_revision(outcome.revision.value);
      member_.fill_header(call.response()->mutable_header());
    });
  }

  void revoke(RevokeCall call) {
    Proposal proposal;
    *proposal.mutable_lease_revoke() = call.request();
    propose_call(member_, call, std::move(proposal), [this, call](const Outcome& outcome) {
      call.response()->mutable_header()->set_revision(outcome.revision.value);
      member_.fill_header(call.response()->mutable_header());
    });
  }

  std::shared_ptr<net::GrpcServerStream> keep_alive(std::shared_ptr<net::GrpcReply> reply) {
    auto stream = std::make_shared<KeepAliveStream>(member_, desk_, std::move(reply));
    if (stream->leader_needed()) stream->watch_leader();
    return stream;
  }

  void time_to_live(TimeToLiveCall call) {
    if (const Status status = check_served(member_, call.reply()); !status.ok()) {
      return call.done(status);
    }
    const LeaseId id(call.request().id());
    desk_.time_to_live(id, call.request().keys(), [=, this](Result<lease::TimeToLive> found) {
      auto* const response = call.response();
      response->set_id(id.value);
      member_.fill_header(response->mutable_header());
      if (!found.ok() && found.status().code() != Code::kNotFound) return call.done(found.status());
      response->set_ttl(found.ok() ? found->ttl_seconds : -1);
      if (found.ok()) {
        response->set_grantedttl(found->granted_seconds);
        for (const std::string& key : found->keys) response->add_keys(key);
      }
      call.done({});
    });
  }

  void leases(LeasesCall call) {
    const Status status = check_served(member_, call.reply());
    for (const LeaseId lease : member_.machine().lessor().leases()) {
      call.response()->add_leases()->set_id(lease.value);
    }
    member_.fill_header(call.response()->mutable_header());
    call.done(status);
  }

  Member& member_;
  LeaseDesk desk_;
  Rng rng_;
};

}  // namespace

std::unique_ptr<ClientService> make_lease_service(Member& member, PeerTransport& transport,
                                                  net::GrpcServer& server) {
  return std::make_unique<LeaseService>(member, transport, server);
}

}  // namespace coracle::store
