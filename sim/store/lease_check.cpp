#include "store_sim/lease_check.hpp"

#include "store_sim/world.hpp"

namespace coracle::store_sim {

std::int64_t LeaseCheck::jumps() const {
  std::int64_t sum = 0;
  for (const auto& member : world_.members()) sum += member->jumps();
  return sum;
}

void LeaseCheck::on_promise(LeaseId lease, std::int64_t ttl, Micros since) {
  Promise& promise = promises_[lease];
  if (since >= promise.since) promise = {since, ttl, jumps()};
}

void LeaseCheck::on_renewed(LeaseId lease, std::int64_t ttl, Micros called, Micros done) {
  const auto revoked = revoked_.find(lease);
  if (ttl > 0 && revoked != revoked_.end() && revoked->second < called) {
    world_.fail("L4: lease " + std::to_string(lease.value) + " was renewed after its revocation");
  }
  if (ttl > 0) on_promise(lease, ttl, done);
}

void LeaseCheck::on_entry(const raft::Entry& entry) {
  if (entry.kind != raft::EntryKind::kNormal) return;
  store::Proposal proposal;
  if (!proposal.ParseFromString(entry.data) || !proposal.has_lease_revoke()) return;
  const Oracle::Request request{proposal.member(), proposal.request()};
  const LeaseId lease(proposal.lease_revoke().id());
  if (clients_.contains(request)) return;
  if (expiries_.emplace(request, Expiry{lease, world_.now()}).second) not_judged_.insert(request);
}

void LeaseCheck::look_at_committed() {
  for (auto it = not_judged_.begin(); it != not_judged_.end();) {
    const Oracle::Effect* effect = world_.oracle().effect(*it);
    if (effect == nullptr) {
      ++it;
      continue;
    }
    if (effect->ok) judge(expiries_.at(*it).lease);
    it = not_judged_.erase(it);
  }
}

void LeaseCheck::judge(LeaseId lease) {
  world_.count("lease expired");
  const auto promise = promises_.find(lease);
  if (promise == promises_.end() || promise->second.jumps != jumps()) return;
  // The leader's clock may be fast.
  const Micros lives = promise->second.ttl * (1'000'000 - world_.profile().drift_ppm);
  if (world_.now() >= promise->second.since + lives) return;
  world_.fail("L1: lease " + std::to_string(lease.value) + " of " +
              std::to_string(promise->second.ttl) + " s ends " +
              std::to_string(world_.now() - promise->second.since) + "us after its renewal");
}

}  // namespace coracle::store_sim
