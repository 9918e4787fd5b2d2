// Progress: what the leader knows about one member's log, and how fast it may feed it.
//
// Invariant: match < next; inflight is empty in kProbe and kSnapshot.
// Bound:     Config.inflight_max unanswered appends.
#pragma once

#include <deque>

#include "raft/report.hpp"
#include "raft/types.hpp"

namespace coracle::raft {

class Progress {
 public:
  explicit Progress(Index next) : next_(next) {}

  Index match() const { return match_; }
  Index next() const { return next_; }
  PeerState state() const { return state_; }
  std::size_t inflight() const { return inflight_.size(); }
  Index snapshot_index() const { return snapshot_; }

  // Whether an append must wait for an answer (or a heartbeat's) first.
  bool paused(std::size_t inflight_max) const;

  void become_probe();
  void become_replicate();
  void become_snapshot(Index index);

  // An append up to `last` (next - 1 when it was empty) left, telling the commit index.
  void sent(Index last, Index commit);
  // Whether an empty append would tell the member, or us, something.
  bool wants_empty(Index commit) const { return nudge_ || told_commit_ < commit; }
  // The log matches up to `index`. Whether that is news.
  bool maybe_accept(Index index);
  // The member refused an append after `refused`; look at `hint` next. False if the refusal is old.
  bool maybe_refuse(Index refused, Index hint);
  // The member answers heartbeats: a lost append or answer must not stop the stream for ever.
  void heard(Index log_last, std::size_t inflight_max);
  // The streaming of a snapshot ended.
  void end_snapshot(bool ok);

  bool active = true;            // answered since the last quorum check
  std::uint64_t read_round = 0;  // the latest read round it confirmed

 private:
  Index match_;
  Index next_;
  PeerState state_ = PeerState::kProbe;
  Index snapshot_;  // being sent, in kSnapshot
  Index told_commit_;
  bool nudge_ = false;          // an append may be lost: an empty one finds out
  bool probe_sent_ = false;     // in kProbe: one unanswered
  std::deque<Index> inflight_;  // in kReplicate: last index of each unanswered append
};

}  // namespace coracle::raft
