#include "store_sim/lease_check.hpp"

#include "store_sim/world.hpp"

namespace coracle::store_sim {

LeaseCheck::Moment LeaseCheck::moment() const {
  Moment now{world_.now(), 0};
  for (const auto& member : world_.members()) now.jumps += member->jumps();
  return now;
}

void LeaseCheck::on_promise(LeaseId lease, std::int64_t ttl, const Moment& since) {
  Promise& promise = promises_[lease];
  if (since.at >= promise.since.at) promise = {since, ttl};
}

void LeaseCheck::on_renewed(LeaseId lease, std::int64_t ttl, Micros called) {
  const auto revoked = revoked_.find(lease);
  if (ttl > 0 && revoked != revoked_.end() && revoked->second < called) {
    world_.fail("L4: lease " + std::to_string(lease.value) + " was renewed after its revocation");
  }
  if (ttl > 0) on_promise(lease, ttl, moment());
}

void LeaseCheck::on_entry(const raft::Entry& entry) {
  if (entry.kind != raft::EntryKind::kNormal) return;
  store::Proposal proposal;
  if (!proposal.ParseFromString(entry.data) || !proposal.has_lease_revoke()) return;
  const Oracle::Request request{proposal.member(), proposal.request()};
  const LeaseId lease(proposal.lease_revoke().id());
  if (clients_.contains(request)) return;
  if (expiries_.emplace(request, Expiry{lease, moment()}).second) {
    not_judged_.insert(request);
  }
}

void LeaseCheck::look_at_committed() {
  for (auto it = not_judged_.begin(); it != not_judged_.end();) {
    const Oracle::Effect* effect = world_.oracle().effect(*it);
    if (effect == nullptr) {
      ++it;
      continue;
    }
    if (effect->ok) judge(expiries_.at(*it));
    it = not_judged_.erase(it);
  }
}

void LeaseCheck::judge(const Expiry& expiry) {
  world_.count("lease expired");
  const auto found = promises_.find(expiry.lease);
  if (found == promises_.end() || found->second.since.jumps != expiry.proposed.jumps) return;
  const Promise& promise = found->second;
  // The leader's clock may be fast.
  const Micros lives = promise.ttl * (1'000'000 - world_.profile().drift_ppm);
  if (expiry.proposed.at >= promise.since.at + lives) return;
  world_.fail("L1: lease " + std::to_string(expiry.lease.value) + " of " +
              std::to_string(promise.ttl) + " s ends " +
              std::to_string(expiry.proposed.at - promise.since.at) + "us after its renewal");
}

}  // namespace coracle::store_sim
