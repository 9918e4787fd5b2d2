// Lease: grants and revocations go through the log, renewals to the leader's clock.
#include <mutex>

#include "base/rng.hpp"
#include "etcd/rpc.grpc.pb.h"
#include "member/errors.hpp"
#include "mvcc/errors.hpp"
#include "server/lease_desk.hpp"
#include "server/services.hpp"
#include "server/unary.hpp"

namespace coracle::store {
namespace {

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

constexpr std::uint64_t kGrantCost = 64;  // against the space quota

// One question at a time: read, renew, answer, read again.
class KeepAliveStream final
    : public grpc::ServerBidiReactor<pb::LeaseKeepAliveRequest, pb::LeaseKeepAliveResponse>,
      public std::enable_shared_from_this<KeepAliveStream> {
 public:
  KeepAliveStream(Member& member, LeaseDesk& desk, bool leader_needed)
      : member_(member), desk_(desk), leader_needed_(leader_needed) {}

  void begin() {
    self_ = shared_from_this();
    StartRead(&request_);
  }
  // On the strand. False once the stream is over.
  bool check_leader() {
    if (leader_needed_ && member_.long_without_leader()) end(err_no_leader());
    std::lock_guard lock(mutex_);
    return !ended_;
  }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return end({});
    member_.loop().post([self = self_] { self->renew(); });
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return end({});
    std::lock_guard lock(mutex_);
    if (!ended_) StartRead(&request_);
  }
  void OnCancel() override { end({Code::kCancelled, "etcdserver: request canceled"}); }
  void OnDone() override { self_.reset(); }

  void renew() {
    if (member_.machine().is_learner(member_.id())) return end(err_not_for_learner());
    if (leader_needed_ && member_.core().leader() == NodeId(0)) return end(err_no_leader());
    response_.Clear();
    response_.set_id(request_.id());
    member_.fill_header(response_.mutable_header());  // the revision from before the renewal
    desk_.renew(LeaseId(request_.id()), [self = shared_from_this()](Result<std::int64_t> ttl) {
      if (!ttl.ok()) return self->end(ttl.status());
      self->response_.set_ttl(*ttl);
      std::lock_guard lock(self->mutex_);
      if (!self->ended_) self->StartWrite(&self->response_);
    });
  }

  void end(const Status& status) {
    std::lock_guard lock(mutex_);
    if (std::exchange(ended_, true)) return;
    Finish(to_grpc(status));
  }

  Member& member_;
  LeaseDesk& desk_;
  const bool leader_needed_;
  std::shared_ptr<KeepAliveStream> self_;
  pb::LeaseKeepAliveRequest request_;
  pb::LeaseKeepAliveResponse response_;
  std::mutex mutex_;  // guards ended_
  bool ended_ = false;
};

class LeaseService final : public pb::Lease::CallbackService {
 public:
  LeaseService(Member& member, PeerTransport& transport)
      : member_(member), desk_(member, transport), rng_(secure_random_seed()) {}

  ServerUnaryReactor* LeaseGrant(CallbackServerContext* context,
                                 const pb::LeaseGrantRequest* request,
                                 pb::LeaseGrantResponse* response) override {
    if (const Status status = lease::check_grant(request->ttl()); !status.ok()) {
      return finish(context, status);
    }
    return on_strand(member_, context, [this, asked = *request, response](auto done) mutable {
      if (member_.over_quota(kGrantCost)) return member_.refuse_growth(done);
      if (asked.id() == 0) asked.set_id(member_.machine().lessor().pick_id(rng_).value);
      Proposal proposal;
      *proposal.mutable_lease_grant() = asked;
      member_.propose(std::move(proposal), [this, response, done](const Outcome& outcome) {
        if (!outcome.status.ok()) return done(outcome.status);
        const auto& granted = std::get<lease::Granted>(outcome.value);
        response->set_id(granted.id.value);
        response->set_ttl(granted.ttl_seconds);
        response->mutable_header()->set_revision(outcome.revision.value);
        member_.fill_header(response->mutable_header());
        done({});
      });
    });
  }

  ServerUnaryReactor* LeaseRevoke(CallbackServerContext* context,
                                  const pb::LeaseRevokeRequest* request,
                                  pb::LeaseRevokeResponse* response) override {
    Proposal proposal;
    *proposal.mutable_lease_revoke() = *request;
    return propose_call(member_, context, std::move(proposal), [this, response](Outcome& outcome) {
      response->mutable_header()->set_revision(outcome.revision.value);
      member_.fill_header(response->mutable_header());
    });
  }

  grpc::ServerBidiReactor<pb::LeaseKeepAliveRequest, pb::LeaseKeepAliveResponse>* LeaseKeepAlive(
      CallbackServerContext* context) override {
    const bool leader_needed = requires_leader(*context);
    const auto stream = std::make_shared<KeepAliveStream>(member_, desk_, leader_needed);
    stream->begin();
    if (leader_needed) member_.loop().post([this, stream] { cut_without_leader(stream); });
    return stream.get();
  }

  ServerUnaryReactor* LeaseTimeToLive(CallbackServerContext* context,
                                      const pb::LeaseTimeToLiveRequest* request,
                                      pb::LeaseTimeToLiveResponse* response) override {
    const LeaseId id(request->id());
    return on_strand(member_, context, [this, id, keys = request->keys(), response](auto done) {
      desk_.time_to_live(id, keys, [=, this](Result<lease::TimeToLive> found) {
        response->set_id(id.value);
        member_.fill_header(response->mutable_header());
        if (!found.ok() && found.status().code() != Code::kNotFound) return done(found.status());
        response->set_ttl(found.ok() ? found->ttl_seconds : -1);
        if (found.ok()) {
          response->set_grantedttl(found->granted_seconds);
          for (const std::string& key : found->keys) response->add_keys(key);
        }
        done({});
      });
    });
  }

  ServerUnaryReactor* LeaseLeases(CallbackServerContext* context, const pb::LeaseLeasesRequest*,
                                  pb::LeaseLeasesResponse* response) override {
    return on_strand(member_, context, [this, response](auto done) {
      for (const LeaseId lease : member_.machine().lessor().leases()) {
        response->add_leases()->set_id(lease.value);
      }
      member_.fill_header(response->mutable_header());
      done({});
    });
  }

 private:
  // Looks again and again, as long as the stream lives.
  void cut_without_leader(const std::shared_ptr<KeepAliveStream>& stream) {
    if (!stream->check_leader()) return;
    member_.loop().after(member_.options().election,
                         [this, stream] { cut_without_leader(stream); });
  }

  Member& member_;
  LeaseDesk desk_;
  Rng rng_;  // owned by the strand
};

}  // namespace

std::unique_ptr<grpc::Service> make_lease_service(Member& member, PeerTransport& transport) {
  return std::make_unique<LeaseService>(member, transport);
}

}  // namespace coracle::store
