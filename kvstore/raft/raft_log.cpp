#include "raft/raft_log.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace coracle::raft {

Index RaftLog::first() const { return base_ ? base_->index.next() : view_.first(); }

Index RaftLog::last() const {
  if (!tail_.empty()) return tail_.back().index;
  return base_ ? base_->index : view_.last();
}

std::optional<Term> RaftLog::term(Index i) const {
  if (i.next() < first() || i > last()) return std::nullopt;
  if (!tail_.empty() && i >= tail_.front().index) {
    return tail_[i.value - tail_.front().index.value].term;
  }
  return base_ ? base_->term : view_.term(i);
}

std::vector<Entry> RaftLog::slice(Index from, Index to, std::size_t bytes_max) const {
  CHECK_MSG(first() <= from && from <= to && to <= last(),
            from << ".." << to << " of " << first() << ".." << last());
  const Index tail_start = tail_.empty() ? last().next() : tail_.front().index;
  std::vector<Entry> out;
  std::size_t bytes = 0;
  if (from < tail_start) {
    out = view_.slice(from, std::min(to, tail_start.prev()), bytes_max);
    for (const Entry& e : out) bytes += cost_bytes(e);
    if (out.back().index.next() < tail_start) return out;
    from = tail_start;
  }
  for (Index i = from; i <= to; i = i.next()) {
    const Entry& e = tail_[i.value - tail_start.value];
    bytes += cost_bytes(e);
    if (!out.empty() && bytes > bytes_max) break;
    out.push_back(e);
  }
  return out;
}

Index RaftLog::last_at_or_before(Index from, Term t) const {
  Index i = std::min(from, last());
  while (i.next() > first() && *term(i) > t) i = i.prev();
  return i;
}

void RaftLog::forget_synced_from(Index index) {
  synced_ = std::min(synced_, index.prev());
  for (Handed& h : handed_) h.last = std::min(h.last, index.prev());
}

void RaftLog::append(std::vector<Entry> entries) {
  if (entries.empty()) return;
  const Index from = entries.front().index;
  CHECK_MSG(from >= first() && from <= last().next(), from << " of " << first() << ".." << last());
  forget_synced_from(from);
  if (tail_.empty() || from <= tail_.front().index) {
    tail_ = std::move(entries);
    return;
  }
  tail_.resize(from.value - tail_.front().index.value);
  tail_.insert(tail_.end(), std::make_move_iterator(entries.begin()),
               std::make_move_iterator(entries.end()));
}

void RaftLog::reset(Index index, Term term) {
  base_ = SnapshotMeta{index, term, {}};
  tail_.clear();
  handed_.clear();
  synced_ = index;  // the driver makes an installed snapshot durable before anything else
}

std::vector<Entry> RaftLog::take_tail(std::uint64_t number) {
  base_.reset();
  std::vector<Entry> out;
  out.swap(tail_);
  if (!out.empty()) handed_.push_back({number, out.back().index});
  return out;
}

void RaftLog::on_synced(std::uint64_t number) {
  while (!handed_.empty() && handed_.front().number <= number) {
    synced_ = std::max(synced_, handed_.front().last);
    handed_.pop_front();
  }
  CHECK_MSG(synced_ <= last(), "synced " << synced_ << " last " << last());
}

}  // namespace coracle::raft
