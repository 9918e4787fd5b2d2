// Reads that wait: at the leader for a round of heartbeats, at others for the leader's answer, at
// all for the state machine to catch up.
//
// A round: the leader notes its commit index, sends numbered heartbeats, and when a majority has
// answered that number or a later one it was still the leader after the reads came in. Reads that
// arrive during a round wait for the next, so one round serves a batch.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "raft/messages.hpp"
#include "raft/ready.hpp"
#include "raft/types.hpp"

namespace coracle::raft {

struct ReadWaiter {
  NodeId from;  // who asked: this member or another
  std::uint64_t context = 0;
};

// At the leader.
class ReadRounds {
 public:
  std::size_t pending() const { return waiting_.size() + in_round_; }
  bool any_waiting() const { return !waiting_.empty(); }
  bool running() const { return !rounds_.empty(); }
  std::uint64_t round() const { return round_; }

  void add(ReadWaiter waiter) { waiting_.push_back(waiter); }
  // Everything that waits joins a new round at `commit`.
  void start_round(Index commit);

  struct Confirmed {
    ReadWaiter waiter;
    Index index;
  };
  // The reads of rounds <= `round`.
  std::vector<Confirmed> take_confirmed(std::uint64_t round);
  std::vector<ReadWaiter> take_all();  // leadership ended

 private:
  struct Round {
    std::uint64_t number;
    Index index;
    std::vector<ReadWaiter> waiters;
  };
  std::vector<ReadWaiter> waiting_;
  std::deque<Round> rounds_;
  std::size_t in_round_ = 0;
  std::uint64_t round_ = 0;  // never reset: an answer to an older leadership's round stays old
};

// At the member that was asked: from read_index() to the grant.
class OwnReads {
 public:
  std::size_t pending() const { return forwarded_.size() + confirmed_.size(); }
  void forward(std::uint64_t context, std::uint64_t deadline);
  // The leader's answer to a forwarded read; false if it is not awaited any more.
  bool take_forwarded(std::uint64_t context);
  void confirm(std::uint64_t context, Index index);

  std::vector<ReadGrant> take_granted(Index applied);
  bool any_granted(Index applied) const;
  std::vector<ReadGrant> take_expired(std::uint64_t now);
  std::vector<ReadGrant> take_all_forwarded(Refusal refusal);

 private:
  struct Forwarded {
    std::uint64_t context;
    std::uint64_t deadline;
  };
  std::deque<Forwarded> forwarded_;  // deadlines ascend
  std::vector<ReadGrant> confirmed_;
};

}  // namespace coracle::raft
