// What only a leader keeps; made anew with each leadership.
#pragma once

#include <deque>
#include <map>
#include <utility>

#include "raft/progress.hpp"
#include "raft/read_queue.hpp"
#include "raft/types.hpp"

namespace coracle::raft {

struct LeaderState {
  Index term_start;                  // its first entry
  std::map<NodeId, Progress> peers;  // every other member, learners too
  NodeId transfer_to;                // leadership is being handed to; 0 = nobody
  std::uint64_t transfer_deadline = 0;
  ReadRounds reads;

  // Bytes proposed here and not committed, by entry.
  std::deque<std::pair<Index, std::size_t>> uncommitted;
  std::size_t uncommitted_bytes = 0;

  void proposed(const Entry& entry) {
    uncommitted.emplace_back(entry.index, cost_bytes(entry));
    uncommitted_bytes += cost_bytes(entry);
  }
  void committed(Index index) {
    while (!uncommitted.empty() && uncommitted.front().first <= index) {
      uncommitted_bytes -= uncommitted.front().second;
      uncommitted.pop_front();
    }
  }
};

}  // namespace coracle::raft
