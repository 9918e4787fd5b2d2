// How a core is tuned, and what it remembers from before a restart. Constant after construction.
#pragma once

#include "base/status.hpp"
#include "raft/types.hpp"

namespace coracle::raft {

struct Config {
  NodeId id;  // never 0, never reused by another member

  // Time is counted in tick()s. An election starts after election_ticks .. 2 * election_ticks - 1
  // without a leader; the leader steps down after election_ticks without a majority.
  int heartbeat_ticks = 1;
  int election_ticks = 10;

  // Bounds.
  std::size_t append_bytes_max = 1 << 20;        // of one AppendReq (one entry always fits)
  std::size_t inflight_max = 64;                 // AppendReqs sent to one member, unanswered
  std::size_t uncommitted_bytes_max = 64 << 20;  // proposed at this leader, not committed
  std::size_t apply_bytes_max = 4 << 20;         // of Ready.to_apply
  std::size_t pending_reads_max = 16384;         // reads not granted yet, own and forwarded each
  std::size_t forwarded_proposals_max = 16384;   // forwarded, not answered

  // The state to start from. A new cluster: all members with the same voters and the rest as it is.
  // A member that joins later: an empty membership; it waits until the leader finds it.
  HardState hard_state;
  Index applied;          // what the state machine holds; <= last() of the log, >= first() - 1
  Membership membership;  // as of `applied`
};

// InvalidArgument naming the field that makes no sense.
Status validate(const Config& config);

}  // namespace coracle::raft
