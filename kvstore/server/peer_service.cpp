// Peer: what other members send. Messages are decoded on gRPC's threads and stepped on the strand.
#include <atomic>

#include "base/log.hpp"
#include "member/change_desk.hpp"
#include "member/errors.hpp"
#include "member/peer_codec.hpp"
#include "mvcc/errors.hpp"
#include "raft/peer.grpc.pb.h"
#include "server/lease_desk.hpp"
#include "server/services.hpp"
#include "server/snapshots.hpp"
#include "server/unary.hpp"

namespace coracle::store {
namespace {

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

Status check_cluster(const Member& member, std::uint64_t cluster) {
  if (cluster == member.identity().cluster) return {};
  return err_cluster_mismatch();
}

class DeliverStream final : public grpc::ServerReadReactor<Envelope> {
 public:
  DeliverStream(Member& member, PeerTransport& transport) : member_(member), transport_(transport) {
    StartRead(&envelope_);
  }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return end({});
    if (const Status status = check_cluster(member_, envelope_.cluster()); !status.ok()) {
      return end(status);
    }
    if (envelope_.to() != member_.id().value) {
      return end(failed_precondition("this address belongs to another member"));
    }
    if (!envelope_.from_urls().empty()) introduce();
    // Found out on the strand; the sender asks again and is told.
    if (*from_removed_) return end(err_removed());
    std::vector<raft::Message> messages;
    for (const Message& message : envelope_.messages()) {
      auto decoded = decode(message);
      if (!decoded.ok()) return end(decoded.status());
      messages.push_back(std::move(decoded).value());
    }
    // A full inbox loses them, as the network may.
    (void)member_.loop().try_post([this_member = &member_, from = NodeId(envelope_.from()),
                                   removed = from_removed_,
                                   messages = std::move(messages)]() mutable {
      *removed = this_member->machine().removed().contains(from);
      this_member->step(std::move(messages));
    });
    StartRead(&envelope_);
  }
  void OnDone() override { delete this; }
  void end(const Status& status) {
    if (!std::exchange(ended_, true)) Finish(to_grpc(status));
  }
  void introduce() {
    member_.loop().post([member = &member_, transport = &transport_,
                         from = NodeId(envelope_.from()),
                         urls = Urls(envelope_.from_urls().begin(), envelope_.from_urls().end())] {
      if (!member->machine().removed().contains(from)) transport->heard(from, urls);
    });
  }

  Member& member_;
  PeerTransport& transport_;
  Envelope envelope_;
  const std::shared_ptr<std::atomic<bool>> from_removed_ =
      std::make_shared<std::atomic<bool>>(false);
  bool ended_ = false;
};

class InstallStream final : public grpc::ServerReadReactor<SnapshotPiece> {
 public:
  // One at a time: there is one staging folder.
  InstallStream(Member& member, std::atomic<bool>& busy) : member_(member), busy_(busy) {
    owns_ = !busy_.exchange(true);
    if (owns_) {
      StartRead(&piece_);
    } else {
      end({Code::kAborted, "another snapshot is being received"});
    }
  }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return end({Code::kAborted, "the snapshot ended too early"});
    if (const Status status = take(); !status.ok()) return end(status);
    if (!receiver_->complete()) return StartRead(&piece_);
    owns_ = false;  // the strand frees the folder for the next one
    auto state = std::make_shared<std::unique_ptr<StagedState>>(receiver_->take());
    member_.loop().post([member = &member_, busy = &busy_, order = order_, state] {
      member->install(order, std::move(*state));
      // Only when this turn has installed or dropped it is the folder free.
      member->loop().post([busy] { *busy = false; });
    });
    end({});
  }
  void OnDone() override {
    receiver_.reset();
    if (owns_) busy_ = false;
    delete this;
  }

  Status take() {
    if (!receiver_) {
      if (!piece_.has_header()) return invalid_argument("snapshot: no header");
      RETURN_IF_ERROR(check_cluster(member_, piece_.header().cluster()));
      order_ = decode(piece_.header());
      if (order_.to != member_.id()) return failed_precondition("snapshot: for another member");
      ASSIGN_OR_RETURN(auto state, member_.folder().stage());
      receiver_.emplace(std::move(state));
    }
    return receiver_->add(piece_);
  }
  void end(const Status& status) {
    if (!std::exchange(ended_, true)) Finish(to_grpc(status));
  }

  Member& member_;
  std::atomic<bool>& busy_;
  bool owns_ = false;
  bool ended_ = false;
  SnapshotPiece piece_;
  raft::InstallSnapshot order_;
  std::optional<SnapshotReceiver> receiver_;
};

class PeerService final : public Peer::CallbackService {
 public:
  PeerService(Member& member, PeerTransport& transport, ChangeDesk& changes)
      : member_(member), transport_(transport), desk_(member, transport), changes_(changes) {}

  grpc::ServerReadReactor<Envelope>* Deliver(CallbackServerContext*, DeliverReply*) override {
    return new DeliverStream(member_, transport_);  // deletes itself
  }

  grpc::ServerReadReactor<SnapshotPiece>* Install(CallbackServerContext*, InstallReply*) override {
    return new InstallStream(member_, installing_);  // deletes itself
  }

  // Only the leader answers; the asker looks for it again.
  ServerUnaryReactor* LeaseRenew(CallbackServerContext* context, const LeaseRenewRequest* request,
                                 LeaseRenewReply* reply) override {
    if (const Status status = check_cluster(member_, request->cluster()); !status.ok()) {
      return finish(context, status);
    }
    return on_strand(member_, context, [this, id = LeaseId(request->id()), reply](auto done) {
      if (member_.core().role() != raft::Role::kLeader) return done(err_not_leader());
      desk_.renew(id, [reply, done](Result<std::int64_t> ttl) {
        if (ttl.ok()) reply->set_ttl(*ttl);
        done(ttl.status());
      });
    });
  }

  ServerUnaryReactor* LeaseTimeToLive(CallbackServerContext* context,
                                      const LeaseTimeToLiveAsk* request,
                                      LeaseTimeToLiveReply* reply) override {
    if (const Status status = check_cluster(member_, request->cluster()); !status.ok()) {
      return finish(context, status);
    }
    return on_strand(member_, context, [this, asked = *request, reply](auto done) {
      if (member_.core().role() != raft::Role::kLeader) return done(err_not_leader());
      desk_.time_to_live(LeaseId(asked.id()), asked.keys(),
                         [reply, done](Result<lease::TimeToLive> found) {
                           if (!found.ok() && found.status().code() != Code::kNotFound) {
                             return done(found.status());
                           }
                           reply->set_ttl(found.ok() ? found->ttl_seconds : -1);
                           if (found.ok()) {
                             reply->set_granted_ttl(found->granted_seconds);
                             for (const auto& key : found->keys) reply->add_keys(key);
                           }
                           done({});
                         });
    });
  }

  ServerUnaryReactor* Members(CallbackServerContext* context, const MembersRequest* request,
                              MembersReply* reply) override {
    const auto work = [this, linearizable = request->linearizable(), reply](auto done) {
      auto serve = [this, reply, done](const Status& fresh) {
        if (!fresh.ok()) return done(fresh);
        reply->set_cluster(member_.identity().cluster);
        for (const auto& [id, member] : member_.machine().members()) {
          *reply->add_members() = member;
        }
        done({});
      };
      linearizable ? member_.read(serve) : serve({});
    };
    return on_strand(member_, context, work, ForLearner::kServed);
  }

  ServerUnaryReactor* Change(CallbackServerContext* context, const ChangeRequest* request,
                             ChangeReply* reply) override {
    if (const Status status = check_cluster(member_, request->cluster()); !status.ok()) {
      return finish(context, status);
    }
    auto change = decode(*request);
    if (!change.ok()) return finish(context, change.status());
    return on_strand(member_, context, [this, change = *std::move(change), reply](auto done) {
      changes_.submit(change, [reply, done](const Result<NodeId>& id) {
        if (id.ok()) reply->set_id(id->value);
        done(id.status());
      });
    });
  }

 private:
  Member& member_;
  PeerTransport& transport_;
  LeaseDesk desk_;
  ChangeDesk& changes_;
  std::atomic<bool> installing_{false};
};

}  // namespace

std::unique_ptr<grpc::Service> make_peer_service(Member& member, PeerTransport& transport,
                                                 ChangeDesk& changes) {
  return std::make_unique<PeerService>(member, transport, changes);
}

}  // namespace coracle::store
