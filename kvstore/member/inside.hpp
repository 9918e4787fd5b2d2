// Inside: the part of a member that is for people: what they may see of it, the knobs they may
// turn, and how fast it ticks, which one of the knobs changes.
#pragma once

#include <map>

#include "member/classroom.hpp"
#include "member/counted_state.hpp"
#include "member/observer.hpp"

namespace coracle::store {

// Finer ticks than heartbeats: fewer elections in which two stand at once.
inline constexpr int kTicksPerHeartbeat = 2;

// The core's time-out in its ticks, for the flags' durations.
int election_ticks(Duration heartbeat, Duration election);
// InvalidArgument saying why no cluster works with these.
Status check_timing(Duration heartbeat, Duration election);

// Owned by the strand.
struct Inside {
  Observer observer;
  Classroom classroom;
  Duration heartbeat{}, election{};
  std::map<NodeId, std::shared_ptr<SnapshotProgress>> sending;  // snapshots to members
};

}  // namespace coracle::store
