#include "raft/log_view.hpp"

#include "base/check.hpp"

namespace coracle::raft {

Term MemoryLog::term(Index i) const {
  if (i == base_) return base_term_;
  return at(i).term;
}

const Entry& MemoryLog::at(Index i) const {
  CHECK_MSG(i > base_ && i <= last(), i << " of " << first() << ".." << last());
  return entries_[i.value - base_.value - 1];
}

std::vector<Entry> MemoryLog::slice(Index from, Index to, std::size_t bytes_max) const {
  std::vector<Entry> out;
  std::size_t bytes = 0;
  for (Index i = from; i <= to; i = i.next()) {
    bytes += cost_bytes(at(i));
    if (!out.empty() && bytes > bytes_max) break;
    out.push_back(at(i));
  }
  return out;
}

void MemoryLog::append(const std::vector<Entry>& entries) {
  if (entries.empty()) return;
  const Index from = entries.front().index;
  CHECK_MSG(from > base_ && from <= last().next(), from << " of " << first() << ".." << last());
  entries_.resize(from.value - base_.value - 1);
  entries_.insert(entries_.end(), entries.begin(), entries.end());
}

void MemoryLog::compact(Index upto) {
  if (upto <= base_) return;
  base_term_ = term(upto);
  entries_.erase(entries_.begin(),
                 entries_.begin() + static_cast<std::ptrdiff_t>(upto.value - base_.value));
  base_ = upto;
}

void MemoryLog::reset(Index index, Term term) {
  entries_.clear();
  base_ = index;
  base_term_ = term;
}

}  // namespace coracle::raft
