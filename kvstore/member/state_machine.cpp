#include "member/state_machine.hpp"

#include <fmt/format.h>

#include "disk/segment_format.hpp"
#include "member/errors.hpp"
#include "member/peer_codec.hpp"
#include "mvcc/check.hpp"
#include "raft/peer.pb.h"

namespace coracle::store {
namespace {

using mvcc::Family;

constexpr std::string_view kAppliedKey = "applied";
constexpr std::string_view kMembershipKey = "membership";
constexpr std::string_view kMemberPrefix = "member/";
constexpr std::string_view kMemberEnd = "member0";
constexpr std::string_view kRemovedPrefix = "removed/";
constexpr std::string_view kRemovedEnd = "removed0";
constexpr std::string_view kTokenKey = "token";
constexpr std::string_view kAlarmPrefix = "alarm/";
constexpr std::string_view kAlarmEnd = "alarm0";

std::string member_key(NodeId id) { return fmt::format("{}{:016x}", kMemberPrefix, id.value); }

std::string removed_key(NodeId id) { return fmt::format("{}{:016x}", kRemovedPrefix, id.value); }

std::string alarm_key(const StateMachine::Alarm& alarm) {
  return fmt::format("{}{}/{:016x}", kAlarmPrefix, int(alarm.first), alarm.second);
}

std::string encode_mark(AppliedMark mark) {
  std::string out;
  disk::put_u64(&out, mark.index.value);
  disk::put_u64(&out, mark.term.value);
  return out;
}

std::string encode_membership(const raft::Membership& membership) {
  Membership out;
  encode(membership, &out);
  return out.SerializeAsString();
}

Status unreadable(std::string_view key) {
  return data_loss("the state's record " + std::string(key) + " cannot be read");
}

// An apply that gave a result, or the reason why not.
template <class T>
Outcome outcome_of(Result<T> result) {
  Outcome out;
  out.status = result.status();
  if (result.ok()) out.value = std::move(result).value();
  return out;
}

}  // namespace

bool grows(const Proposal& proposal) {
  const auto op = proposal.op_case();
  return op == Proposal::kPut || op == Proposal::kLeaseGrant ||
         (op == Proposal::kTxn && mvcc::has_put(from_wire(proposal.txn())));
}

Result<AppliedMark> read_applied(const mvcc::StateReader& state) {
  const auto bytes = state.get(Family::kMeta, kAppliedKey);
  if (!bytes) return AppliedMark{};
  if (bytes->size() != 16) return unreadable(kAppliedKey);
  return AppliedMark{Index(disk::get_u64(*bytes, 0)), Term(disk::get_u64(*bytes, 8))};
}

Result<std::unique_ptr<StateMachine>> StateMachine::open(mvcc::StateStore& state,
                                                         lease::LessorConfig config) {
  std::unique_ptr<StateMachine> machine(new StateMachine(state));
  RETURN_IF_ERROR(machine->recover());
  ASSIGN_OR_RETURN(machine->lessor_, lease::Lessor::open(state, config));
  ASSIGN_OR_RETURN(machine->store_, mvcc::Store::open(state, *machine->lessor_));
  return machine;
}

void StateMachine::bootstrap(mvcc::StateStore& state, const raft::Membership& membership,
                             const std::vector<pb::Member>& members, const std::string& token,
                             AppliedMark mark) {
  mvcc::WriteBatch batch;
  batch.put(Family::kMeta, std::string(kAppliedKey), encode_mark(mark));
  batch.put(Family::kMeta, std::string(kMembershipKey), encode_membership(membership));
  batch.put(Family::kMeta, std::string(kTokenKey), token);
  for (const pb::Member& member : members) {
    batch.put(Family::kMeta, member_key(NodeId(member.id())), member.SerializeAsString());
  }
  state.write(batch);
}

Status StateMachine::recover() {
  ASSIGN_OR_RETURN(applied_, read_applied(state_));
  const auto bytes = state_.get(Family::kMeta, kMembershipKey);
  Membership membership;
  if (!bytes || !membership.ParseFromString(*bytes)) return unreadable(kMembershipKey);
  membership_ = decode(membership);
  Status status;
  state_.scan(Family::kMeta, kMemberPrefix, kMemberEnd, [&](auto key, auto value) {
    pb::Member member;
    if (!member.ParseFromArray(value.data(), int(value.size()))) status = unreadable(key);
    members_[NodeId(member.id())] = std::move(member);
    return status.ok();
  });
  state_.scan(Family::kMeta, kRemovedPrefix, kRemovedEnd, [&](auto key, auto value) {
    if (value.size() != 8) status = unreadable(key);
    if (status.ok()) removed_.insert(NodeId(disk::get_u64(value, 0)));
    return status.ok();
  });
  state_.scan(Family::kMeta, kAlarmPrefix, kAlarmEnd, [&](auto key, auto value) {
    pb::AlarmMember alarm;
    if (!alarm.ParseFromArray(value.data(), int(value.size()))) status = unreadable(key);
    alarms_.insert({alarm.alarm(), alarm.memberid()});
    return status.ok();
  });
  return status;
}

bool StateMachine::has_alarm(pb::AlarmType type) const {
  const auto found = alarms_.lower_bound({type, 0});
  return found != alarms_.end() && found->first == type;
}

// Alarms are part of the replicated state, so every member refuses the same entries.
Status StateMachine::refusal(const Proposal& proposal) const {
  const auto op = proposal.op_case();
  if (op == Proposal::kAlarm || op == Proposal::kPublish || op == Proposal::kMemberUpdate)
    return {};
  if (has_alarm(pb::CORRUPT)) return err_corrupt();
  if (!has_alarm(pb::NOSPACE)) return {};
  return grows(proposal) ? err_no_space() : Status();
}

Outcome StateMachine::apply(const Proposal& proposal, TimePoint now) {
  Outcome out;
  out.status = refusal(proposal);
  if (out.status.ok()) {
    switch (proposal.op_case()) {
      case Proposal::kPut:
        out = outcome_of(store_->put(from_wire(proposal.put()), batch_));
        break;
      case Proposal::kDeleteRange:
        out = outcome_of(store_->delete_range(from_wire(proposal.delete_range()), batch_));
        break;
      case Proposal::kTxn:
        out = outcome_of(store_->txn(from_wire(proposal.txn()), batch_));
        break;
      case Proposal::kCompaction:
        out.status = store_->compact(Revision(proposal.compaction().revision()), batch_);
        break;
      case Proposal::kLeaseGrant: {
        const auto& grant = proposal.lease_grant();
        out = outcome_of(lessor_->grant(LeaseId(grant.id()), grant.ttl(), now, batch_));
        break;
      }
      case Proposal::kLeaseRevoke:
        out = outcome_of(lessor_->revoke(LeaseId(proposal.lease_revoke().id()), *store_, batch_));
        break;
      case Proposal::kLeaseCheckpoint:
        for (const auto& lease : proposal.lease_checkpoint().leases()) {
          // One that was revoked meanwhile needs none.
          (void)lessor_->checkpoint(LeaseId(lease.id()), lease.remaining_seconds(), batch_);
        }
        break;
      case Proposal::kAlarm:
        out = apply_alarm(proposal.alarm());
        break;
      case Proposal::kPublish:
        publish(proposal.publish());
        break;
      case Proposal::kMemberUpdate:
        out = apply_update(proposal.member_update());
        break;
      case Proposal::OP_NOT_SET:
        out.status = unimplemented("etcdserver: a request of a newer version");
        break;
    }
  }
  out.revision = store_->revision();
  return out;
}

Outcome StateMachine::apply_alarm(const pb::AlarmRequest& request) {
  const Alarm alarm{request.alarm(), request.memberid()};
  if (request.action() == pb::AlarmRequest::ACTIVATE && alarms_.insert(alarm).second) {
    pb::AlarmMember stored;
    stored.set_alarm(alarm.first);
    stored.set_memberid(alarm.second);
    batch_.put(Family::kMeta, alarm_key(alarm), stored.SerializeAsString());
  }
  if (request.action() == pb::AlarmRequest::DEACTIVATE && alarms_.erase(alarm) > 0) {
    batch_.erase(Family::kMeta, alarm_key(alarm));
  }
  return {};
}

bool StateMachine::is_learner(NodeId id) const {
  const auto found = members_.find(id);
  return found != members_.end() && found->second.islearner();
}

std::string StateMachine::token() const {
  return state_.get(Family::kMeta, kTokenKey).value_or(std::string());
}

void StateMachine::put_member(const pb::Member& member) {
  members_[NodeId(member.id())] = member;
  batch_.put(Family::kMeta, member_key(NodeId(member.id())), member.SerializeAsString());
}

// A member tells its name and client URLs; the rest is not its own to say.
void StateMachine::publish(const pb::Member& member) {
  const auto found = members_.find(NodeId(member.id()));
  if (found == members_.end()) return;  // removed meanwhile
  pb::Member updated = found->second;
  updated.set_name(member.name());
  *updated.mutable_clienturls() = member.clienturls();
  put_member(updated);
}

Outcome StateMachine::apply_update(const pb::MemberUpdateRequest& request) {
  Outcome out;
  const auto found = members_.find(NodeId(request.id()));
  if (found == members_.end()) {
    out.status = err_member_not_found();
    return out;
  }
  const std::set<std::string> wanted(request.peerurls().begin(), request.peerurls().end());
  for (const auto& [id, member] : members_) {
    for (const std::string& url : member.peerurls()) {
      if (id.value != request.id() && wanted.contains(url)) out.status = err_peer_url_exists();
    }
  }
  if (!out.status.ok()) return out;
  pb::Member updated = found->second;
  *updated.mutable_peerurls() = request.peerurls();
  put_member(updated);
  return out;
}

void StateMachine::apply_change(const raft::ConfigEntry& entry) {
  const raft::MembershipChange& change = entry.change;
  membership_ = entry.after;
  batch_.put(Family::kMeta, std::string(kMembershipKey), encode_membership(membership_));
  if (change.kind == raft::ChangeKind::kRemove) {
    members_.erase(change.node);
    batch_.erase(Family::kMeta, member_key(change.node));
    removed_.insert(change.node);
    std::string id;
    disk::put_u64(&id, change.node.value);
    batch_.put(Family::kMeta, removed_key(change.node), id);
    return;
  }
  pb::Member member;
  if (change.kind == raft::ChangeKind::kPromote) {
    member = members_[change.node];
    member.set_islearner(false);
  } else if (!member.ParseFromString(change.context)) {
    return;
  }
  member.set_id(change.node.value);
  put_member(member);
}

std::vector<mvcc::Change> StateMachine::end_turn(AppliedMark mark) {
  if (mark.index > applied_.index) {
    applied_ = mark;
    batch_.put(Family::kMeta, std::string(kAppliedKey), encode_mark(mark));
  }
  if (!batch_.empty()) state_.write(batch_);
  batch_.clear();
  return store_->take_changes();
}

}  // namespace coracle::store
