// StateMachine: what the log's entries do to the replicated state: keys, leases, members, alarms.
// Every member applies the same entries in the same order and comes to the same state.
//
// Thread:    the strand. Time is an argument; only the leader's lease clock uses it.
// A turn:    apply() any number of entries, then end_turn() writes them with the applied index in
//            one batch, and returns what watchers must be told.
// Errors:    open(): DataLoss for a state that cannot be read. apply() never fails: a refused
// request
//            is an Outcome.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <variant>

#include "base/clock.hpp"
#include "lease/lessor.hpp"
#include "member/convert.hpp"
#include "mvcc/state_store.hpp"
#include "mvcc/store.hpp"
#include "raft/membership.hpp"
#include "raft/proposal.pb.h"

namespace coracle::store {

// What became of a proposal. `revision` is the store's, right after it.
struct Outcome {
  Status status;
  Revision revision;
  std::variant<std::monostate, mvcc::PutResult, mvcc::DeleteResult, mvcc::TxnResult, lease::Granted>
      value;
};

// How far a state has come.
struct AppliedMark {
  Index index;
  Term term;
};

class StateMachine {
 public:
  using Alarm = std::pair<pb::AlarmType, std::uint64_t>;  // and the member that raised it

  static Result<std::unique_ptr<StateMachine>> open(mvcc::StateStore& state,
                                                    lease::LessorConfig config);
  // Writes the members of a new cluster into a state that counts as applied up to `mark`.
  static void bootstrap(mvcc::StateStore& state, const raft::Membership& membership,
                        const std::vector<pb::Member>& members, const std::string& token,
                        AppliedMark mark = {});

  Outcome apply(const Proposal& proposal, TimePoint now);
  // The membership as of a committed change. The change's context is an etcdserverpb.Member.
  void apply_change(const raft::ConfigEntry& entry);
  // One bounded piece of removing what was compacted.
  void compact_step(size_t keys) { store_->compact_step(keys, batch_); }
  std::vector<mvcc::Change> end_turn(AppliedMark mark);

  mvcc::Store& store() { return *store_; }
  lease::Lessor& lessor() { return *lessor_; }
  const mvcc::StateStore& state() const { return state_; }
  AppliedMark applied() const { return applied_; }
  const raft::Membership& membership() const { return membership_; }
  const std::map<NodeId, pb::Member>& members() const { return members_; }
  // Ids of the past. None of them comes back.
  const std::set<NodeId>& removed() const { return removed_; }
  // A learner because somebody wants it so...
  bool is_learner(NodeId id) const;
  // ...or a new voter that is still catching up: it will be promoted without being asked for.
  bool awaits_vote(NodeId id) const { return membership_.is_learner(id) && !is_learner(id); }
  // --initial-cluster-token as of the founding; empty in states that are older than this record.
  std::string token() const;
  const std::set<Alarm>& alarms() const { return alarms_; }
  bool has_alarm(pb::AlarmType type) const;

 private:
  explicit StateMachine(mvcc::StateStore& state) : state_(state) {}
  Status recover();
  Status refusal(const Proposal& proposal) const;
  Outcome apply_alarm(const pb::AlarmRequest& request);
  Outcome apply_update(const pb::MemberUpdateRequest& request);
  void publish(const pb::Member& member);
  void put_member(const pb::Member& member);

  mvcc::StateStore& state_;
  std::unique_ptr<lease::Lessor> lessor_;
  std::unique_ptr<mvcc::Store> store_;
  mvcc::WriteBatch batch_;  // of this turn
  AppliedMark applied_;
  raft::Membership membership_;
  std::map<NodeId, pb::Member> members_;
  std::set<NodeId> removed_;
  std::set<Alarm> alarms_;
};

// Whether it makes the store larger, so that it counts against the space quota.
bool grows(const Proposal& proposal);

// The mark in a state; zero if it is empty.
Result<AppliedMark> read_applied(const mvcc::StateReader& state);

}  // namespace coracle::store
