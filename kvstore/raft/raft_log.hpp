// RaftLog: the driver's log view plus the tail that no Ready has handed out yet, and how much of
// both is durable here.
//
// Invariant: synced <= last; the tail starts at or before view.last() + 1 and hides what it
// overlaps.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "raft/log_view.hpp"
#include "raft/types.hpp"

namespace coracle::raft {

class RaftLog {
 public:
  explicit RaftLog(const LogView& view) : view_(view), synced_(view.last()) {}

  Index first() const;
  Index last() const;
  Index synced() const { return synced_; }
  Term last_term() const { return *term(last()); }
  // Nothing for an index that is compacted away or beyond the end.
  std::optional<Term> term(Index i) const;
  bool matches(Index i, Term t) const { return term(i) == t; }
  std::vector<Entry> slice(Index from, Index to, std::size_t bytes_max) const;
  // The largest index <= `from` whose term is <= t.
  Index last_at_or_before(Index from, Term t) const;

  // Cuts from entries.front().index on. REQUIRES consecutive, and no gap.
  void append(std::vector<Entry> entries);
  void reset(Index index, Term term);  // a snapshot replaces everything

  bool has_tail() const { return !tail_.empty(); }
  // Ready `number` takes the tail; from now on the view is expected to hold it.
  std::vector<Entry> take_tail(std::uint64_t number);
  // Ready `number` and all before it are durable. Older Readies that a later cut overwrote count
  // only up to the cut, whatever the order of the reports.
  void on_synced(std::uint64_t number);

 private:
  struct Handed {
    std::uint64_t number;
    Index last;
  };

  void forget_synced_from(Index index);

  const LogView& view_;
  std::optional<SnapshotMeta> base_;  // a snapshot that the view does not know yet
  std::vector<Entry> tail_;
  std::deque<Handed> handed_;  // not reported durable
  Index synced_;
};

}  // namespace coracle::raft
