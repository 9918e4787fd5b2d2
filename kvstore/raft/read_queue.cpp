#include "raft/read_queue.hpp"

#include <algorithm>

namespace coracle::raft {

void ReadRounds::start_round(Index commit) {
  in_round_ += waiting_.size();
  rounds_.push_back({++round_, commit, std::move(waiting_)});
  waiting_.clear();
}

std::vector<ReadRounds::Confirmed> ReadRounds::take_confirmed(std::uint64_t round) {
  std::vector<Confirmed> out;
  while (!rounds_.empty() && rounds_.front().number <= round) {
    for (const ReadWaiter& w : rounds_.front().waiters) out.push_back({w, rounds_.front().index});
    in_round_ -= rounds_.front().waiters.size();
    rounds_.pop_front();
  }
  return out;
}

std::vector<ReadWaiter> ReadRounds::take_all() {
  std::vector<ReadWaiter> out;
  for (const Round& r : rounds_) out.insert(out.end(), r.waiters.begin(), r.waiters.end());
  out.insert(out.end(), waiting_.begin(), waiting_.end());
  rounds_.clear();
  waiting_.clear();
  in_round_ = 0;
  return out;
}

void OwnReads::forward(std::uint64_t context, std::uint64_t deadline) {
  forwarded_.push_back({context, deadline});
}

bool OwnReads::take_forwarded(std::uint64_t context) {
  const auto it = std::find_if(forwarded_.begin(), forwarded_.end(),
                               [&](const Forwarded& f) { return f.context == context; });
  if (it == forwarded_.end()) return false;
  forwarded_.erase(it);
  return true;
}

void OwnReads::confirm(std::uint64_t context, Index index) {
  confirmed_.push_back({context, Refusal::kNone, index});
}

std::vector<ReadGrant> OwnReads::take_granted(Index applied) {
  const auto ripe = [&](const ReadGrant& g) { return g.index <= applied; };
  std::vector<ReadGrant> out;
  std::copy_if(confirmed_.begin(), confirmed_.end(), std::back_inserter(out), ripe);
  std::erase_if(confirmed_, ripe);
  return out;
}

bool OwnReads::any_granted(Index applied) const {
  return std::any_of(confirmed_.begin(), confirmed_.end(),
                     [&](const ReadGrant& g) { return g.index <= applied; });
}

std::vector<ReadGrant> OwnReads::take_expired(std::uint64_t now) {
  std::vector<ReadGrant> out;
  while (!forwarded_.empty() && forwarded_.front().deadline <= now) {
    out.push_back({forwarded_.front().context, Refusal::kNoAnswer, Index{}});
    forwarded_.pop_front();
  }
  return out;
}

std::vector<ReadGrant> OwnReads::take_all_forwarded(Refusal refusal) {
  std::vector<ReadGrant> out;
  for (const Forwarded& f : forwarded_) out.push_back({f.context, refusal, Index{}});
  forwarded_.clear();
  return out;
}

}  // namespace coracle::raft
