// Observer: what went on inside a member, for people who look and for metrics: events in a bounded
// ring, the last elections with their votes, counts, and how long syncs took. It decides nothing.
//
// Thread: the member's strand; copies may leave it.
// Bound:  kEventsMax events and kElectionsMax elections; older ones are forgotten.
#pragma once

#include <array>
#include <deque>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "raft/core.hpp"

namespace coracle::store {

// Something that happened. `text` is a sentence without names; `peer` is the member it is about.
struct RaftEvent {
  std::uint64_t number = 0;  // 1, 2, 3...
  WallTime at;
  std::string kind;  // role, leader, election, vote, snapshot, membership, classroom
  Term term;
  NodeId peer;  // 0: none
  std::string text;
};

struct Election {
  WallTime at;
  raft::ElectionReport report;
};

// Durations of log syncs, in etcd's buckets: upper bounds of 1 ms, 2 ms, ... 8.192 s.
struct SyncTimes {
  static constexpr size_t kBuckets = 14;
  std::array<std::uint64_t, kBuckets + 1> buckets{};  // the last one: beyond all bounds
  std::uint64_t count = 0;
  Duration sum{}, longest{}, last{};

  void add(Duration duration);
};

class Observer {
 public:
  static constexpr size_t kEventsMax = 512;
  static constexpr size_t kElectionsMax = 16;

  // Often: before and after each Ready. Sees what changed since the last look.
  void look(const raft::Core& core, const Clock& clock);
  // What this member answers to candidates.
  void on_sent(const std::vector<raft::Message>& messages, const Clock& clock);
  void note(WallTime now, std::string kind, Term term, NodeId peer, std::string text);

  // Those after `number`, ascending; from the oldest known if some are forgotten.
  std::vector<RaftEvent> events_after(std::uint64_t number) const;
  std::uint64_t last_event() const { return last_number_; }
  const std::deque<Election>& elections() const { return elections_; }  // oldest first

  SyncTimes syncs;
  std::uint64_t leader_changes = 0;

 private:
  void look_at_election(const raft::Core& core, WallTime now);

  raft::Role role_ = raft::Role::kFollower;
  Term term_;
  NodeId leader_;
  std::deque<RaftEvent> events_;
  std::uint64_t last_number_ = 0;
  std::deque<Election> elections_;
};

// "append of entries 5..7 after 4, commit 4": what a message says, in few words.
std::string describe(const raft::Message& message);

}  // namespace coracle::store
