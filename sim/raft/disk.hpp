// SimDisk: what one member has on stable storage, and what it has only written.
//
// Invariant: the durable image changes in whole syncs, in installs and flushes (which are atomic),
// or
//            by the part of the unsynced writes that a crash happens to keep.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "base/rng.hpp"
#include "raft/log_view.hpp"
#include "raft_sim/machine.hpp"

namespace coracle::raft_sim {

struct DurableImage {
  raft::HardState hard_state;
  raft::MemoryLog log;
  Machine machine;  // as last flushed; the log goes on from it
};

class SimDisk {
 public:
  explicit SimDisk(raft::Membership initial) { image_.machine.membership = std::move(initial); }

  const DurableImage& image() const { return image_; }
  std::size_t unsynced() const { return writes_.size(); }

  // One write: hard state first, then the entries.
  void write(std::optional<raft::HardState> hard_state, std::vector<raft::Entry> entries);
  void sync(std::size_t writes);         // the first so many writes are durable
  void flush(const Machine& machine);    // the state machine reached the disk
  void compact(Index upto);              // REQUIRES flushed
  void install(const Machine& machine);  // syncs, then replaces the state and empties the log
  // Keeps a random prefix of the unsynced writes, down to single entries.
  void crash(Rng& rng);

 private:
  struct Write {
    std::optional<raft::HardState> hard_state;
    std::vector<raft::Entry> entries;
  };
  void settle(const Write& write);

  DurableImage image_;
  std::deque<Write> writes_;
};

}  // namespace coracle::raft_sim
