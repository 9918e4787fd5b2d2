#include "store_sim/faults.hpp"

#include "store_sim/operator.hpp"
#include "store_sim/world.hpp"

namespace coracle::store_sim {

void Faults::start() {
  next();
  world_.at(kFaultsEnd, [this] { end(); });
}

void Faults::next() {
  world_.at(world_.rng().between(5000, world_.profile().fault_gap_max), [this] {
    if (!world_.faulty()) return;
    strike();
    next();
  });
}

void Faults::strike() {
  Rng& rng = world_.rng();
  if (rng.chance(world_.profile().membership)) return world_.change_membership();
  SimMember* member = rng.chance(0.4) ? world_.leader() : world_.random_running();
  if (member == nullptr) return;
  switch (rng.below(3)) {
    case 0:
      return strike_network(*member);
    case 1:
      return strike_disk(*member);
    default:
      return strike_process(*member);
  }
}

void Faults::strike_network(SimMember& member) {
  Rng& rng = world_.rng();
  switch (rng.below(4)) {
    case 0:
      return split();
    case 1:
      return isolate(member, true, true);
    case 2:
      return rng.chance(0.5) ? isolate(member, true, false) : isolate(member, false, true);
    default:
      world_.network().heal();
  }
}

void Faults::strike_disk(SimMember& member) {
  Rng& rng = world_.rng();
  if (world_.profile().state_faults && rng.chance(0.4)) return strike_state(member);
  const std::uint64_t soon = rng.below(12);
  switch (rng.below(5)) {
    case 0:
    case 1:
      return member.disk().plan_crash(soon, true);
    case 2:
      return member.disk().plan_crash(soon, false);
    case 3:
      return member.disk().plan_failure(soon, rng.chance(0.5) ? Failure::kEio : Failure::kEnospc);
    default:
      if (!may_flip()) return;
      member.kill(rng.chance(0.5));
      member.flip_bit();
  }
}

// One damaged disk a world: a second could take the quorum.
bool Faults::may_flip() {
  if (flipped_ || world_.oracle().membership().voters.size() < 3) return false;
  flipped_ = true;
  return true;
}

void Faults::strike_state(SimMember& member) {
  Rng& rng = world_.rng();
  switch (rng.below(3)) {
    case 0:
      return member.disk().plan_read_failure(rng.below(100));
    case 1:
      member.disk().plan_failure(rng.below(12), Failure::kEnospc);
      return member.disk().plan_full(rng.below(8));
    default:
      if (!may_flip()) return;
      member.flip_bit_of_state();
      if (rng.chance(0.3)) member.kill(rng.chance(0.5));
      if (rng.chance(0.3)) member.scrub();
  }
}

void Faults::strike_process(SimMember& member) {
  Rng& rng = world_.rng();
  switch (rng.below(8)) {
    case 0:
    case 1:
      return member.kill(rng.chance(0.7));
    case 2:
      world_.count("all lose power");
      for (const auto& each : world_.members()) each->kill(true);
      return;
    case 3:
      return member.stop_gracefully();
    case 4:
    case 5:
      return member.pause(rng.between(1000, 3 * kElection));
    case 6:
      if (world_.profile().clock_jumps) return member.jump_clock(rng.between(1000, 3'000'000));
      return member.pause(rng.between(1000, kElection));
    default: {
      const auto& members = world_.members();
      const NodeId to = members[rng.below(members.size())]->id();
      const bool transfer = rng.chance(0.5);
      member.post([&member, to, transfer] {
        raft::Core& core = member.member().core();
        if (transfer) (void)core.transfer_leadership(to);
        if (!transfer) core.campaign();
      });
    }
  }
}

void Faults::split() {
  SimNetwork& network = world_.network();
  network.heal();
  std::set<NodeId> left;
  for (const auto& member : world_.members()) {
    if (world_.rng().chance(0.5)) left.insert(member->id());
  }
  for (const auto& a : world_.members()) {
    for (const auto& b : world_.members()) {
      if (left.contains(a->id()) != left.contains(b->id())) network.cut(a->id(), b->id());
    }
  }
  world_.count("network split");
  world_.trace("split");
}

void Faults::isolate(const SimMember& member, bool inbound, bool outbound) {
  for (const auto& other : world_.members()) {
    if (inbound) world_.network().cut(other->id(), member.id());
    if (outbound) world_.network().cut(member.id(), other->id());
  }
  world_.count(inbound && outbound ? "isolated" : "isolated one way");
  world_.trace("isolate " + member.name() + (inbound ? " in" : "") + (outbound ? " out" : ""));
}

void Faults::on_new_leader(SimMember& leader) {
  Rng& rng = world_.rng();
  if (!world_.faulty() || !rng.chance(0.2)) return;
  const bool cut = rng.chance(0.5);
  world_.at(rng.between(0, 100'000), [this, &leader, cut] {
    if (!world_.faulty() || !leader.running()) return;
    cut ? isolate(leader, true, true) : leader.kill(true);
  });
}

void Faults::arm_disk(SimMember& member) {
  if (!world_.faulty() || !world_.rng().chance(0.15)) return;
  member.disk().plan_crash(world_.rng().below(30), world_.rng().chance(0.5));
}

void Faults::end() {
  world_.network().heal();
  for (const auto& member : world_.members()) {
    member->disk().plan_nothing();
    member->disk().set_sync_max(1000);
    // What is damaged and was not read yet is found now: it shall not be in the very end.
    if (member->running() && member->state_damaged()) member->scrub();
  }
  world_.trace("faults end");
}

}  // namespace coracle::store_sim
