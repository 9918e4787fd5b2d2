// What clients wait for: proposals until their entry is applied, reads until the leader has been
// confirmed. Both outlive elections: what certainly did not get into the log is tried again.
//
// Thread:    the strand.
// Invariant: each caller is answered exactly once. A proposal is sent again only if its entry can
//            not have been accepted anywhere.
// Bound:     kPendingMax of each kind, then "too many requests"; and time: after `timeout` the
//            caller gets "request timed out".
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "member/state_machine.hpp"
#include "raft/core.hpp"

namespace coracle::store {

class Proposals {
 public:
  using Answer = std::function<void(Outcome)>;
  static constexpr size_t kPendingMax = 50'000;

  Proposals(raft::Core& core, Duration timeout) : core_(core), timeout_(timeout) {}

  void submit(std::uint64_t request, std::string data, TimePoint now, Answer answer);
  void submit_change(std::uint64_t request, raft::MembershipChange change, TimePoint now,
                     Answer answer);
  void on_outcome(const raft::ProposalOutcome& outcome);
  // Every entry, before its effect is answered: what lost its place is answered here. Returns the
  // request that this entry is; 0 if it came from elsewhere.
  std::uint64_t on_entry(const raft::Entry& entry);
  void answer(std::uint64_t request, Outcome outcome);
  bool is_pending(std::uint64_t request) const { return pending_.contains(request); }
  // Time-outs; and what is parked gets another try.
  void tick(TimePoint now);
  void retry_parked();
  void fail_all(const Status& status);
  size_t size() const { return pending_.size(); }
  std::uint64_t failures() const { return failures_; }  // for want of a leader, or of time

 private:
  enum class Place {
    kParked,   // nowhere; no leader would take it
    kSent,     // at the leader, or in its log
    kUnknown,  // was sent to a leader that fell silent
  };
  struct Pending {
    std::string data;
    std::optional<raft::MembershipChange> change;
    Answer answer;
    TimePoint deadline;
    Place place = Place::kParked;
    Term sent_in;
  };
  struct Slot {
    Term term;
    std::uint64_t request = 0;
  };

  void add(std::uint64_t request, Pending pending);
  void send(std::uint64_t request, Pending& pending);

  raft::Core& core_;
  const Duration timeout_;
  std::map<std::uint64_t, Pending> pending_;  // numbers ascend with time, so do deadlines
  std::map<Index, Slot> slots_;               // accepted, to be applied
  size_t parked_ = 0;
  std::uint64_t failures_ = 0;
};

class ReadBarrier {
 public:
  using Done = std::function<void(Status)>;
  static constexpr size_t kPendingMax = 50'000;

  // `epoch` differs between lives: what answers a read of an earlier one is as old as that.
  ReadBarrier(raft::Core& core, Duration timeout, std::uint64_t epoch)
      : core_(core), timeout_(timeout), last_context_(epoch) {}

  // `done(Ok)`: the state is now at least as new as when wait() was called.
  void wait(TimePoint now, Done done);
  // One round for all that gathered while the last one was under way, for a round costs all
  // members work. Its messages may be lost, so after a tick another one may overtake it.
  bool may_start() const { return !gathered_.empty() && (rounds_.empty() || may_overtake_); }
  void start_round();
  void on_grant(const raft::ReadGrant& grant);
  void tick(TimePoint now);
  void fail_all(const Status& status);

 private:
  struct Waiter {
    TimePoint deadline;
    Done done;
  };
  using Waiters = std::vector<Waiter>;

  void expire(Waiters* waiters, TimePoint now);

  raft::Core& core_;
  const Duration timeout_;
  std::uint64_t last_context_;
  bool may_overtake_ = false;
  size_t waiting_ = 0;                       // in all of what follows
  Waiters gathered_;                         // since the last round
  Waiters parked_;                           // refused; tried again at the next tick
  std::map<std::uint64_t, Waiters> rounds_;  // by context
};

}  // namespace coracle::store
