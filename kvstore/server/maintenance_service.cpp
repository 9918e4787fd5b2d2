// Maintenance: how a member is, alarms, the hash of its keys, and moving the leadership.
#include <fmt/format.h>

#include "etcd/rpc.pb.h"
#include "member/version.hpp"
#include "mvcc/errors.hpp"
#include "server/calls.hpp"
#include "server/services.hpp"
#include "server/snapshot_stream.hpp"

namespace coracle::store {
namespace {

class MaintenanceService final : public ClientService {
 public:
  MaintenanceService(Member& member, net::GrpcServer& server) : member_(member) {
    member.hooks.on_state_goes = [this] { copies_.revoke_all(); };
    add_call(server, "/etcdserverpb.Maintenance/Status", this, &MaintenanceService::status);
    add_call(server, "/etcdserverpb.Maintenance/Alarm", this, &MaintenanceService::alarm);
    add_call(server, "/etcdserverpb.Maintenance/Hash", this, &MaintenanceService::hash);
    add_call(server, "/etcdserverpb.Maintenance/HashKV", this, &MaintenanceService::hash_kv);
    add_call(server, "/etcdserverpb.Maintenance/Defragment", this, &MaintenanceService::defragment);
    add_call(server, "/etcdserverpb.Maintenance/MoveLeader", this,
             &MaintenanceService::move_leader);
    server.add_stream("/etcdserverpb.Maintenance/Snapshot",
                      [this](std::shared_ptr<net::GrpcReply> reply) {
                        return stream_snapshot(member_, copies_, std::move(reply));
                      });
  }

 private:
  using StatusCall = Call<pb::StatusRequest, pb::StatusResponse>;
  using AlarmCall = Call<pb::AlarmRequest, pb::AlarmResponse>;
  using HashCall = Call<pb::HashRequest, pb::HashResponse>;
  using HashKvCall = Call<pb::HashKVRequest, pb::HashKVResponse>;
  using DefragmentCall = Call<pb::DefragmentRequest, pb::DefragmentResponse>;
  using MoveLeaderCall = Call<pb::MoveLeaderRequest, pb::MoveLeaderResponse>;

  void status(StatusCall call) {
    const Status served = check_served(member_, call.reply(), ForLearner::kServed);
    auto* const response = call.response();
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
    call.done(served);
  }

  void alarm(AlarmCall call) {
    const pb::AlarmRequest& asked = call.request();
    if (asked.action() == pb::AlarmRequest::GET) {
      list_alarms(asked.alarm(), call.response());
      return call.done(check_served(member_, call.reply()));
    }
    Proposal proposal;
    *proposal.mutable_alarm() = asked;
    propose_call(member_, call, std::move(proposal), [this, call](Outcome&) {
      auto* alarm = call.response()->add_alarms();
      alarm->set_memberid(call.request().memberid());
      alarm->set_alarm(call.request().alarm());
      member_.fill_header(call.response()->mutable_header());
    });
  }

  // etcd hashes its file here, which nobody can compare; ours is HashKV's at the current revision.
  void hash(HashCall call) {
    const Status served = check_served(member_, call.reply());
    if (!served.ok()) return call.done(served);
    const Status failure = hash_aside(Revision(0), [this, call](const mvcc::HashKv& hash) {
      call.response()->set_hash(hash.hash);
      member_.fill_header(call.response()->mutable_header());
      call.done({});
    });
    if (!failure.ok()) call.done(failure);
  }

  void hash_kv(HashKvCall call) {
    const Status served = check_served(member_, call.reply());
    if (!served.ok()) return call.done(served);
    member_.fill_header(call.response()->mutable_header());  // as of now, not of when it is done
    const Revision at(call.request().revision());
    const Status failure = hash_aside(at, [call](const mvcc::HashKv& hash) {
      call.response()->set_hash(hash.hash);
      call.response()->set_compact_revision(hash.compacted.value);
      call.response()->set_hash_revision(hash.hash_revision.value);
      call.done({});
    });
    if (!failure.ok()) call.done(failure);
  }

  // The files are rewritten by RocksDB's own background work; asked for, all at once.
  void defragment(DefragmentCall call) {
    const Status served = check_served(member_, call.reply());
    if (!served.ok()) return call.done(served);
    member_.defragment([call] { call.done({}); });
  }

  void move_leader(MoveLeaderCall call) {
    const NodeId target(call.request().targetid());
    Status status = check_served(member_, call.reply());
    if (status.ok()) status = member_.move_leader(target);
    if (!status.ok()) return call.done(status);
    wait_for_leader(target, member_.loop().now() + member_.options().request_timeout(), call);
  }

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

  void wait_for_leader(NodeId target, TimePoint deadline, MoveLeaderCall call) {
    if (member_.core().leader() == target) {
      member_.fill_header(call.response()->mutable_header());
      return call.done({});
    }
    if (member_.loop().now() >= deadline) return call.done(err_timeout());
    member_.loop().after(std::chrono::milliseconds(10),
                         [=, this] { wait_for_leader(target, deadline, call); });
  }

  Member& member_;
  StateCopies copies_;
};

}  // namespace

std::unique_ptr<ClientService> make_maintenance_service(Member& member, net::GrpcServer& server) {
  return std::make_unique<MaintenanceService>(member, server);
}

}  // namespace coracle::store
