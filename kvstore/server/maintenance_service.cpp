// Maintenance: how a member is, alarms, the hash of its keys, and moving the leadership.
#include <fmt/format.h>

#include "etcd/rpc.grpc.pb.h"
#include "member/version.hpp"
#include "mvcc/errors.hpp"
#include "server/services.hpp"
#include "server/snapshot_stream.hpp"
#include "server/unary.hpp"

namespace coracle::store {
namespace {

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

class MaintenanceService final : public pb::Maintenance::CallbackService {
 public:
  explicit MaintenanceService(Member& member) : member_(member) {
    member.hooks.on_state_goes = [this] { copies_.revoke_all(); };
  }

  ServerUnaryReactor* Status(CallbackServerContext* context, const pb::StatusRequest*,
                             pb::StatusResponse* response) override {
    const auto work = [this, response](auto done) {
      const raft::StatusReport report = member_.core().status();
      StateMachine& machine = member_.machine();
      member_.fill_header(response->mutable_header());
      response->set_version(kServerVersion);
      response->set_storageversion(kStorageVersion);
      response->set_dbsize(std::int64_t(member_.db_bytes()));
      response->set_dbsizeinuse(machine.store().bytes_in_use());
      response->set_dbsizequota(member_.options().quota_bytes);
      response->set_leader(report.leader.value);
      response->set_raftindex(report.commit.value);
      response->set_raftterm(report.term.value);
      response->set_raftappliedindex(machine.applied().index.value);
      response->set_islearner(machine.is_learner(member_.id()));
      response->mutable_downgradeinfo();
      if (report.leader == NodeId(0)) response->add_errors(err_no_leader().message());
      for (const auto& [type, raised_by] : machine.alarms()) {
        response->add_errors(
            fmt::format("memberID:{} alarm:{} ", raised_by, pb::AlarmType_Name(type)));
      }
      done({});
    };
    return on_strand(member_, context, work, ForLearner::kServed);
  }

  ServerUnaryReactor* Alarm(CallbackServerContext* context, const pb::AlarmRequest* request,
                            pb::AlarmResponse* response) override {
    if (request->action() == pb::AlarmRequest::GET) {
      return on_strand(member_, context, [this, type = request->alarm(), response](auto done) {
        list_alarms(type, response);
        done({});
      });
    }
    Proposal proposal;
    *proposal.mutable_alarm() = *request;
    return propose_call(member_, context, std::move(proposal),
                        [this, asked = *request, response](Outcome&) {
                          auto* alarm = response->add_alarms();
                          alarm->set_memberid(asked.memberid());
                          alarm->set_alarm(asked.alarm());
                          member_.fill_header(response->mutable_header());
                        });
  }

  // etcd hashes its file here, which nobody can compare; ours is HashKV's at the current revision.
  ServerUnaryReactor* Hash(CallbackServerContext* context, const pb::HashRequest*,
                           pb::HashResponse* response) override {
    return on_strand(member_, context, [this, response](auto done) {
      (void)hash_aside(Revision(0), [this, response, done](const mvcc::HashKv& hash) {
        response->set_hash(hash.hash);
        member_.fill_header(response->mutable_header());
        done({});
      });
    });
  }

  ServerUnaryReactor* HashKV(CallbackServerContext* context, const pb::HashKVRequest* request,
                             pb::HashKVResponse* response) override {
    return on_strand(member_, context, [this, at = request->revision(), response](auto done) {
      const auto failure = hash_aside(Revision(at), [=](const mvcc::HashKv& hash) {
        response->set_hash(hash.hash);
        response->set_compact_revision(hash.compacted.value);
        response->set_hash_revision(hash.hash_revision.value);
        done({});
      });
      member_.fill_header(response->mutable_header());  // as of now, not of when it is done
      if (!failure.ok()) done(failure);
    });
  }

  // The files are rewritten by RocksDB's own background work; asked for, all at once.
  ServerUnaryReactor* Defragment(CallbackServerContext* context, const pb::DefragmentRequest*,
                                 pb::DefragmentResponse*) override {
    return on_strand(member_, context,
                     [this](auto done) { member_.defragment([done] { done({}); }); });
  }

  grpc::ServerWriteReactor<pb::SnapshotResponse>* Snapshot(CallbackServerContext*,
                                                           const pb::SnapshotRequest*) override {
    return stream_snapshot(member_, copies_);
  }

  ServerUnaryReactor* MoveLeader(CallbackServerContext* context,
                                 const pb::MoveLeaderRequest* request,
                                 pb::MoveLeaderResponse* response) override {
    const NodeId target(request->targetid());
    return on_strand(member_, context, [this, target, response](auto done) {
      if (const auto status = member_.move_leader(target); !status.ok()) return done(status);
      wait_for_leader(target, member_.loop().now() + member_.options().request_timeout(), response,
                      done);
    });
  }

 private:
  // The history is read beside the strand, from a snapshot. `done` is called on the strand, unless
  // a failure is returned.
  template <class Done>
  coracle::Status hash_aside(Revision at, Done done) {
    ASSIGN_OR_RETURN(mvcc::HashPlan plan, member_.machine().store().plan_hash(at));
    auto result = std::make_shared<mvcc::HashKv>();
    std::shared_ptr<mvcc::StateSnapshot> snapshot = member_.state().snapshot();
    member_.folder().aside(
        [result, plan = std::move(plan), snapshot = std::move(snapshot)]() mutable {
          *result = mvcc::run_hash(*snapshot, plan);
          snapshot.reset();
          return coracle::Status();
        },
        [result, done](const coracle::Status&) { done(*result); });
    return {};
  }

  void list_alarms(pb::AlarmType type, pb::AlarmResponse* response) {
    for (const auto& [raised, member] : member_.machine().alarms()) {
      if (type != pb::NONE && raised != type) continue;
      auto* alarm = response->add_alarms();
      alarm->set_memberid(member);
      alarm->set_alarm(raised);
    }
    member_.fill_header(response->mutable_header());
  }

  template <class Done>
  void wait_for_leader(NodeId target, TimePoint deadline, pb::MoveLeaderResponse* response,
                       Done done) {
    if (member_.core().leader() == target) {
      member_.fill_header(response->mutable_header());
      return done({});
    }
    if (member_.loop().now() >= deadline) return done(err_timeout());
    member_.loop().after(std::chrono::milliseconds(10),
                         [=, this] { wait_for_leader(target, deadline, response, done); });
  }

  Member& member_;
  StateCopies copies_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_maintenance_service(Member& member) {
  return std::make_unique<MaintenanceService>(member);
}

}  // namespace coracle::store
