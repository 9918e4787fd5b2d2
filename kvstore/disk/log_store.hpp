// LogStore: where a member keeps its Raft log and its term and vote. Port; ends: FileLog (segments
// on a disk) and MemoryLog (tests and simulation). log_store_suite.hpp is the suite both must pass.
//
// Owner:     the member's strand; calls do not overlap.
// Invariant: what append() or reset() said Ok to is there after any crash; what it did not is there
//            wholly or not at all.
// Errors:    a failed append or reset leaves the end unusable: every later call fails with the same
//            Status, because nobody knows what reached the disk. The caller stops the process.
#pragma once

#include <optional>
#include <vector>

#include "base/status.hpp"
#include "raft/types.hpp"

namespace coracle::disk {

// What a log holds when it is opened: entries base_index + 1, + 2, ... without a gap.
struct LogImage {
  raft::HardState hard_state;
  Index base_index;  // everything up to here has been cut away
  Term base_term;
  std::vector<raft::Entry> entries;
};

class LogStore {
 public:
  virtual ~LogStore() = default;

  // One write, one sync. Entries may overwrite a tail: the first one's index is at most last + 1,
  // and what was stored at and behind it is gone.
  virtual Status append(const std::optional<raft::HardState>& hard_state,
                        const std::vector<raft::Entry>& entries) = 0;
  // After a snapshot was installed: the log is empty and continues behind (index, term).
  virtual Status reset(Index index, Term term) = 0;
  // Entries up to `index` are not needed any more; the end may keep some of them.
  virtual Status cut(Index index) = 0;
};

}  // namespace coracle::disk
