// Core: one member's side of Raft as a deterministic state machine.
//
// In go messages, ticks and wishes; out comes a Ready (ready.hpp), which says what to persist, send
// and apply, in which order. No I/O, clock, threads, logging or globals: equal inputs, equal
// outputs.
//
// Thread:     one owner; not thread-safe.
// Invariants: (1) one leader a term; (2) two logs with an entry of equal index and term are equal
// up
//             to it; (3) a leader holds every committed entry; (4) commit and applied never fall;
//             (5) to_apply holds only what is committed and durable here; (6) no vote and no append
//             is acknowledged before it is durable (send_after_sync).
// Bounds:     Config; over one the call answers ResourceExhausted or the message is refused.
// Errors:     peers may send anything: step answers InvalidArgument and changes nothing. A driver
//             that breaks the order in ready.hpp or log_view.hpp meets a CHECK.
#pragma once

#include <deque>

#include "base/rng.hpp"
#include "raft/config.hpp"
#include "raft/membership.hpp"
#include "raft/progress.hpp"
#include "raft/quorum.hpp"
#include "raft/raft_log.hpp"
#include "raft/read_queue.hpp"
#include "raft/ready.hpp"
#include "raft/report.hpp"

namespace coracle::raft {

// Where a proposal went.
struct Proposed {
  bool forwarded = false;     // to the leader; Ready.proposals will name `request`
  std::uint64_t request = 0;  // the caller's number
  Index index;                // not forwarded: its place in the log, if committed with `term`
  Term term;
};

class Core {
 public:
  // REQUIRES validate(config).ok(). `log` and `rng` outlive the core. A sole voter campaigns here.
  Core(const Config& config, const LogView& log, Rng& rng);

  // A message of a peer, meant for this member. InstallSnapshot: when its bytes are staged.
  Status step(const Message& message);
  void tick();

  Ready take_ready();
  bool has_ready() const;
  void on_synced(std::uint64_t ready_number);
  void on_applied(Index index);    // REQUIRES index <= the last one handed out
  void on_compacted(Index index);  // the view forgot entries <= index; REQUIRES applied

  // Unavailable: no leader known, or leadership is being handed over (try again).
  // ResourceExhausted: uncommitted bytes or forwarded proposals are at their bound.
  Result<Proposed> propose(std::uint64_t request, std::string data);
  // Also: FailedPrecondition while another change is under way, or what apply() says about it.
  Result<Proposed> propose_config(std::uint64_t request, const MembershipChange& change);

  // A linearizable read: the state machine is fresh enough when Ready.reads names `context` without
  // refusal. Contexts are the caller's and distinct while pending.
  Status read_index(std::uint64_t context);

  // FailedPrecondition unless this member leads and `to` is another voter. Proposals are refused
  // until it succeeds or an election timeout passes.
  Status transfer_leadership(NodeId to);
  void campaign();  // now, with pre-vote; nothing at a leader, learner or stranger

  void report_unreachable(NodeId peer);        // the transport failed to reach it
  void report_snapshot(NodeId peer, bool ok);  // the streaming ended

  StatusReport status() const;
  Role role() const { return role_; }
  NodeId leader() const { return leader_; }
  Term term() const { return hard_.term(); }
  Index commit() const { return hard_.commit(); }
  const Membership& membership() const { return history_.latest(); }
  void check_invariants() const;

 private:
  // election.cpp
  void reset_for(Term term);
  void become_follower(Term term, NodeId leader);
  void become_pre_candidate();
  void become_candidate();
  void become_leader();
  void start_election(ElectionCause cause);
  void ask_for_votes(Term term);
  void count_own_vote();
  void decide_election();
  VoteReason judge(const VoteReq& request) const;
  bool may_campaign() const;
  bool heard_from_leader_lately() const;
  void tick_election();
  void tick_leader();
  bool quorum_active();

  // step.cpp: one overload a message
  Status check_header(const Header& header, const Message& message) const;
  bool settle_term(const Message& message);
  Status on(const VoteReq&);
  Status on(const VoteResp&);
  Status on(const AppendReq&);
  Status on(const AppendResp&);
  Status on(const HeartbeatReq&);
  Status on(const HeartbeatResp&);
  Status on(const InstallSnapshot&);
  Status on(const ProposeReq&);
  Status on(const ProposeResp&);
  Status on(const ReadIndexReq&);
  Status on(const ReadIndexResp&);
  Status on(const TimeoutNow&);

  // replication.cpp
  void follow(NodeId leader);
  void append_own(EntryKind kind, std::string data);
  void append_to_log(std::vector<Entry> entries);
  void feed_peers();
  bool maybe_send_append(NodeId peer, Progress& progress);
  void send_snapshot(NodeId peer, Progress& progress);
  void send_heartbeats();
  void maybe_commit();
  void sync_peers_with_membership();
  void maybe_finish_transfer(NodeId peer);
  void step_down_if_removed();

  // proposals.cpp, reads.cpp
  Refusal refusal_for(EntryKind kind, const std::string& data) const;
  Result<Proposed> propose_or_forward(std::uint64_t request, EntryKind kind, std::string data);
  void fail_forwarded(Refusal refusal);
  void maybe_start_read_round();
  void maybe_grant_reads();
  void answer_read(const ReadWaiter& waiter, Refusal refusal, Index index);
  bool committed_in_own_term() const;

  template <class M>
  M addressed(NodeId to) const;

  const Config config_;
  Rng& rng_;
  RaftLog log_;
  HardState hard_;
  MembershipHistory history_;

  Role role_ = Role::kFollower;
  NodeId leader_;
  std::uint64_t now_ = 0;           // ticks since the start
  std::uint64_t heard_leader_ = 0;  // when a leader of this term was last heard
  std::uint64_t election_at_ = 0;   // when to stand, or (leader) to look for a quorum
  ElectionReport election_;
  std::map<NodeId, bool> votes_;

  // Leader only.
  std::map<NodeId, Progress> peers_;
  Index term_start_;  // this leader's first entry
  std::size_t uncommitted_bytes_ = 0;
  NodeId transfer_to_;
  std::uint64_t transfer_deadline_ = 0;
  ReadRounds rounds_;

  // Any role.
  ForwardedReads forwarded_reads_;
  std::map<std::uint64_t, std::uint64_t> forwarded_proposals_;  // request -> deadline
  Index applying_, applied_;
  std::deque<SyncMark> unsynced_;  // Readies taken, not reported durable
  Term durable_term_;
  NodeId durable_vote_;
  std::uint64_t ready_number_ = 0;
  Ready next_;  // what is collected for take_ready
};

}  // namespace coracle::raft
