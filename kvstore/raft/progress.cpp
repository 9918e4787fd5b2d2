#include "raft/progress.hpp"

#include <algorithm>

namespace coracle::raft {

bool Progress::paused(std::size_t inflight_max) const {
  switch (state_) {
    case PeerState::kProbe:
      return probe_sent_;
    case PeerState::kReplicate:
      return inflight_.size() >= inflight_max;
    case PeerState::kSnapshot:
      return true;
  }
  return true;
}

void Progress::become_probe() {
  state_ = PeerState::kProbe;
  next_ = std::max(match_.next(), snapshot_.next());
  snapshot_ = Index{};
  probe_sent_ = false;
  inflight_.clear();
}

void Progress::become_replicate() {
  state_ = PeerState::kReplicate;
  next_ = match_.next();
  snapshot_ = Index{};
  inflight_.clear();
}

void Progress::become_snapshot(Index index) {
  state_ = PeerState::kSnapshot;
  snapshot_ = index;
  inflight_.clear();
}

void Progress::sent(Index last, Index commit) {
  told_commit_ = std::max(told_commit_, commit);
  nudge_ = false;
  if (state_ == PeerState::kProbe) {
    probe_sent_ = true;
    return;
  }
  if (last < next_) return;
  inflight_.push_back(last);
  next_ = last.next();
}

bool Progress::maybe_accept(Index index) {
  while (!inflight_.empty() && inflight_.front() <= index) inflight_.pop_front();
  next_ = std::max(next_, index.next());
  if (index <= match_) return false;
  match_ = index;
  return true;
}

bool Progress::maybe_refuse(Index refused, Index hint) {
  if (state_ == PeerState::kSnapshot || refused <= match_) return false;
  if (state_ == PeerState::kReplicate) {
    if (refused >= next_) return false;
    become_probe();
    return true;
  }
  if (refused != next_.prev()) return false;  // an old answer
  next_ = std::max(std::min(refused, hint.next()), match_.next());
  probe_sent_ = false;
  return true;
}

void Progress::heard(Index log_last, std::size_t inflight_max) {
  probe_sent_ = false;
  nudge_ = match_ < log_last;
  if (inflight_.size() >= inflight_max) inflight_.pop_front();
}

void Progress::end_snapshot(bool ok) {
  if (state_ != PeerState::kSnapshot) return;
  if (!ok) snapshot_ = Index{};
  become_probe();
  probe_sent_ = true;  // until the member, or a heartbeat's answer, speaks
}

}  // namespace coracle::raft
