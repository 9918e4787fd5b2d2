#include "server/lease_desk.hpp"

#include <grpc/support/time.h>
#include <grpcpp/grpcpp.h>

#include "member/errors.hpp"
#include "mvcc/errors.hpp"
#include "raft/peer.grpc.pb.h"

namespace coracle::store {
namespace {

constexpr Duration kRetryAfter = std::chrono::milliseconds(50);

// One call to a peer; lives until its callback.
template <class Request, class Response>
struct PeerCall {
  grpc::ClientContext context;
  Request request;
  Response response;
  std::unique_ptr<Peer::Stub> stub;
};

template <class Call>
void prepare(Call& call, const std::shared_ptr<grpc::Channel>& channel, Duration left) {
  call.stub = Peer::NewStub(channel);
  call.context.set_deadline(
      gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(left.count(), GPR_TIMESPAN)));
}

}  // namespace

void LeaseDesk::later(std::function<void()> again) {
  member_.loop().after(kRetryAfter, std::move(again));
}

void LeaseDesk::renew_until(LeaseId id, TimePoint deadline, Renewal done) {
  if (too_late(deadline)) return done(err_timeout());
  if (leads()) return renew_here(id, deadline, std::move(done));
  renew_there(id, deadline, std::move(done));
}

// A leader that was cut off does not know it yet, so it has to prove itself before it promises
// time.
void LeaseDesk::renew_here(LeaseId id, TimePoint deadline, Renewal done) {
  member_.read([=, this](const Status& proven) {
    if (!proven.ok()) return done(proven);
    lease::Lessor& lessor = member_.machine().lessor();
    // The next leader must not go on from a remainder of before this renewal.
    if (lessor.primary() && lessor.needs_checkpoint(id))
      return forget_checkpoint(id, deadline, done);
    const lease::Renewed renewed = lessor.renew(id, member_.loop().now());
    switch (renewed.outcome) {
      case lease::Renewed::Outcome::kRenewed:
        return done(renewed.ttl_seconds);
      case lease::Renewed::Outcome::kUnknown:
        return done(std::int64_t(0));
      case lease::Renewed::Outcome::kExpired:
      case lease::Renewed::Outcome::kNotPrimary:
        break;
    }
    // Its revocation is on the way, or somebody else leads by now: look again.
    later([=, this] { renew_until(id, deadline, done); });
  });
}

void LeaseDesk::forget_checkpoint(LeaseId id, TimePoint deadline, Renewal done) {
  Proposal proposal;
  proposal.mutable_lease_checkpoint()->add_leases()->set_id(id.value);
  member_.propose(std::move(proposal), [=, this](const Outcome& outcome) {
    if (!outcome.status.ok()) return done(outcome.status);
    renew_until(id, deadline, done);
  });
}

void LeaseDesk::renew_there(LeaseId id, TimePoint deadline, Renewal done) {
  const auto channel = transport_.channel(member_.core().leader());
  if (channel == nullptr) return later([=, this] { renew_until(id, deadline, done); });
  auto call = std::make_shared<PeerCall<LeaseRenewRequest, LeaseRenewReply>>();
  prepare(*call, channel, deadline - member_.loop().now());
  call->request.set_cluster(member_.identity().cluster);
  call->request.set_id(id.value);
  call->stub->async()->LeaseRenew(&call->context, &call->request, &call->response,
                                  [=, this](const grpc::Status& status) {
                                    member_.loop().post([=, this] {
                                      if (status.ok()) return done(call->response.ttl());
                                      later([=, this] { renew_until(id, deadline, done); });
                                    });
                                  });
}

void LeaseDesk::ask_until(LeaseId id, bool keys, TimePoint deadline, Remaining done) {
  if (too_late(deadline)) return done(err_timeout());
  if (!leads()) return ask_there(id, keys, deadline, std::move(done));
  member_.read([=, this](const Status& proven) {
    if (!proven.ok()) return done(proven);
    auto found = member_.machine().lessor().time_to_live(id, member_.loop().now());
    if (!found) return done(mvcc::err_lease_not_found());
    if (found->ttl_seconds < 0) return later([=, this] { ask_until(id, keys, deadline, done); });
    if (!keys) found->keys.clear();
    done(std::move(*found));
  });
}

void LeaseDesk::ask_there(LeaseId id, bool keys, TimePoint deadline, Remaining done) {
  const auto channel = transport_.channel(member_.core().leader());
  if (channel == nullptr) return later([=, this] { ask_until(id, keys, deadline, done); });
  auto call = std::make_shared<PeerCall<LeaseTimeToLiveAsk, LeaseTimeToLiveReply>>();
  prepare(*call, channel, deadline - member_.loop().now());
  call->request.set_cluster(member_.identity().cluster);
  call->request.set_id(id.value);
  call->request.set_keys(keys);
  call->stub->async()->LeaseTimeToLive(
      &call->context, &call->request, &call->response, [=, this](const grpc::Status& status) {
        member_.loop().post([=, this] {
          if (!status.ok()) return later([=, this] { ask_until(id, keys, deadline, done); });
          const LeaseTimeToLiveReply& reply = call->response;
          if (reply.ttl() < 0) return done(mvcc::err_lease_not_found());
          done(lease::TimeToLive{
              reply.ttl(), reply.granted_ttl(), {reply.keys().begin(), reply.keys().end()}});
        });
      });
}

}  // namespace coracle::store
