// Core: one member's side of Raft as a deterministic state machine.
//
// In go messages, ticks and wishes; out comes a Ready (ready.hpp), which says what to persist, send
// and apply, in which order. No I/O, clock, threads, logging or globals: equal inputs, equal
// outputs.
//
// Thread:     one owner; not thread-safe.
// Invariants: (1) one leader a term; (2) logs that share an entry's index and term are equal up
//             to it; (3) a leader holds every committed entry; (4) commit and applied never fall;
//             (5) to_apply holds only what is committed and durable here; (6) no vote and no append
//             is acknowledged before it is durable (send_after_sync).
// Bounds:     Config; over one the call answers ResourceExhausted or the message is refused.
// Errors:     peers may send anything: step answers InvalidArgument and changes nothing. A driver
//             that breaks the order in ready.hpp or log_view.hpp meets a CHECK.
#pragma once

#include "base/rng.hpp"
#include "raft/config.hpp"
#include "raft/forwarded.hpp"
#include "raft/leader_state.hpp"
#include "raft/membership.hpp"
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
  bool has_ready() const;  // may be true for an empty Ready, never false for another
  void on_synced(std::uint64_t ready_number);
  void on_applied(Index index);    // REQUIRES index <= the last one handed out
  void on_compacted(Index index);  // the view forgot entries <= index; REQUIRES applied

  // Unavailable: no leader known, or leadership is being handed over (try again).
  // ResourceExhausted: uncommitted bytes or forwarded proposals are at their bound.
  Result<Proposed> propose(std::uint64_t request, std::string data);
  // Also: Unavailable while another change is under way, or what apply() says about it.
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
  const ElectionReport& election() const { return election_; }
  // The next time-out counts from now. REQUIRES more than the heartbeat's.
  void set_election_ticks(int ticks);
  Role role() const { return role_; }
  NodeId leader() const { return leader_; }
  Term term() const { return hard_.term(); }
  Index commit() const { return hard_.commit(); }
  const Membership& membership() const { return history_.latest(); }  // committed or not
  void check_invariants() const;

 private:
  void set_leader(NodeId leader), reset_for(Term term);
  void become_follower(Term term, NodeId leader);
  void become_pre_candidate(ElectionCause cause);
  void become_candidate(ElectionCause cause);
  void become_leader();
  void start_election(ElectionCause cause);
  void ask_for_votes(Term term, bool pre);
  void count_vote(NodeId from, VoteReason reason);
  VoteReason judge(const VoteReq& request) const;
  bool may_campaign() const;
  bool heard_from_leader_lately() const;
  void tick_leader();
  bool quorum_active() const;
  Status check_message(const Message& message) const;
  bool settle_term(const Message& message);
  Status on(const VoteReq&), on(const VoteResp&), on(const AppendReq&), on(const AppendResp&),
      on(const HeartbeatReq&), on(const HeartbeatResp&), on(const InstallSnapshot&),
      on(const ProposeReq&), on(const ProposeResp&), on(const ReadIndexReq&),
      on(const ReadIndexResp&), on(const TimeoutNow&);
  void follow(NodeId leader);
  void append_own(EntryKind kind, std::string data);
  void append_to_log(std::vector<Entry> entries);
  void answer_append(NodeId to, Index match);
  void feed_peers();
  bool maybe_send_append(NodeId peer, Progress& progress);
  void send_snapshot(NodeId peer, Progress& progress);
  void send_heartbeats(), maybe_commit();
  void sync_peers_with_membership();
  void maybe_finish_transfer(NodeId peer);
  Status check_change(const std::string& data) const;
  Refusal refusal_for(EntryKind kind, const std::string& data) const;
  void append_proposal(EntryKind kind, std::string data);
  Result<Proposed> propose_or_forward(std::uint64_t request, EntryKind kind, std::string data);
  void expire_forwarded();
  void maybe_start_read_round(), maybe_confirm_reads();
  void answer_read(const ReadWaiter& waiter, Refusal refusal, Index index);
  bool committed_in_own_term() const, may_apply() const;

  template <class M>
  M addressed(NodeId to) const {
    M m;
    m.from = config_.id, m.to = to, m.term = hard_.term();
    return m;
  }

  Config config_;  // constant but for the election time-out
  Rng& rng_;
  RaftLog log_;
  HardState hard_;
  MembershipHistory history_;
  Role role_ = Role::kFollower;
  NodeId leader_;
  std::uint64_t now_ = 0;           // ticks since the start
  std::uint64_t heard_leader_ = 0;  // when the leader was last heard
  std::uint64_t timeout_ = 0;       // of this term's election
  std::uint64_t deadline_ = 0;      // when to stand; at the leader: when to look for a quorum
  ElectionReport election_;
  std::map<NodeId, bool> votes_;
  std::uint64_t vote_ready_ = 0;  // the Ready that carries this candidate's own vote; 0 = none yet
  LeaderState lead_;              // meaningful while role_ is kLeader
  OwnReads own_reads_;
  ForwardedProposals forwarded_;
  Index applying_, applied_;  // handed out; reported
  std::uint64_t ready_number_ = 0;
  bool touched_ = true;  // something came in since the last Ready
  Ready next_;           // collected for take_ready
};

}  // namespace coracle::raft
