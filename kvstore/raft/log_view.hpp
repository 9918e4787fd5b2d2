// LogView: the core's window on the log that the driver keeps in memory.
// Thread: the core's strand. Calls never block and never fail; disk errors stay in the driver.
//
// Invariants the driver keeps:
//  1. entries first() .. last() are held, consecutive; an empty log has last() + 1 == first();
//  2. after take_ready() the view takes `to_append` (cutting everything from its first index on)
//     before the core is called again; after Ready.install it is empty with first() == index + 1;
//  3. only applied entries are compacted away, and the term of first() - 1 stays known.
#pragma once

#include <vector>

#include "raft/types.hpp"

namespace coracle::raft {

class LogView {
 public:
  virtual ~LogView() = default;

  virtual Index first() const = 0;  // 1 for a log that was never compacted
  virtual Index last() const = 0;   // first() - 1 when empty; 0 for a new member

  // REQUIRES first() - 1 <= i <= last(). The term of Index{0} is Term{0}.
  virtual Term term(Index i) const = 0;

  // Entries from `from` on, ascending, up to and including `to`: at least one, then as many as fit
  // into bytes_max by cost_bytes().   REQUIRES first() <= from <= to <= last().
  virtual std::vector<Entry> slice(Index from, Index to, std::size_t bytes_max) const = 0;
};

// The honest in-memory log: what tests, the simulation and a driver's cache use.
class MemoryLog : public LogView {
 public:
  MemoryLog() = default;
  // Starts after a snapshot (or compaction) at `index`.
  MemoryLog(Index index, Term term) { reset(index, term); }

  Index first() const override { return base_.next(); }
  Index last() const override { return base_.plus(entries_.size()); }
  Term term(Index i) const override;
  std::vector<Entry> slice(Index from, Index to, std::size_t bytes_max) const override;

  void append(const std::vector<Entry>& entries);  // cuts from entries.front().index on
  void compact(Index upto);            // forgets entries <= upto; REQUIRES upto <= last()
  void reset(Index index, Term term);  // empty, after a snapshot
  const Entry& at(Index i) const;

 private:
  Index base_;  // the entry before first()
  Term base_term_;
  std::vector<Entry> entries_;
};

}  // namespace coracle::raft
