#include "raft_sim/faults.hpp"

#include "raft_sim/world.hpp"

namespace coracle::raft_sim {

void Faults::start() { next(); }

void Faults::next() {
  const Micros pause = world_.rng().between(5000, world_.profile().fault_gap_max);
  world_.at(pause, [this] {
    if (!world_.faulty()) return;
    strike();
    next();
  });
}

void Faults::strike() {
  Rng& rng = world_.rng();
  if (rng.chance(world_.profile().membership)) return change_membership();
  SimMember* member = world_.random_running();
  if (member == nullptr) return;
  switch (rng.below(10)) {
    case 0:
      return split();
    case 1:
      return isolate(member->id(), true, true);
    case 2:
      return isolate(member->id(), rng.chance(0.5), true);
    case 3:
      return isolate(world_.a_leader().value_or(member->id()), true, true);
    case 4:
      return world_.heal();
    case 5:
      return crash_somebody();
    case 6:
      return crash(world_.a_leader().value_or(member->id()));
    case 7:
      return member->flush_and_compact(rng.below(20));
    case 8:
      member->with_core([&](raft::Core& core) {
        core.campaign();
        return 0;
      });
      return;
    default: {
      const NodeId to{1 + rng.below(static_cast<std::uint64_t>(world_.profile().members))};
      member->with_core([&](raft::Core& core) { return core.transfer_leadership(to).ok(); });
    }
  }
}

void Faults::split() {
  world_.heal();
  const auto ids = world_.ids();
  std::set<NodeId> left;
  for (const NodeId id : ids) {
    if (world_.rng().chance(0.5)) left.insert(id);
  }
  for (const NodeId a : ids) {
    for (const NodeId b : ids) {
      if (left.contains(a) != left.contains(b)) world_.cut(a, b);
    }
  }
  world_.trace("split");
}

void Faults::isolate(NodeId id, bool inbound, bool outbound) {
  for (const NodeId other : world_.ids()) {
    if (inbound) world_.cut(other, id);
    if (outbound) world_.cut(id, other);
  }
  world_.trace("isolate n" + std::to_string(id.value) + (inbound ? " in" : "") +
               (outbound ? " out" : ""));
}

void Faults::crash(NodeId id) {
  SimMember& member = world_.member(id);
  world_.trace("crash n" + std::to_string(id.value));
  member.crash();
  const Micros down = world_.rng().chance(0.5) ? world_.rng().between(100, 10'000)
                                               : world_.rng().between(10'000, 600'000);
  world_.at(down, [this, id] {
    SimMember& m = world_.member(id);
    if (!m.running()) m.start();
  });
}

void Faults::crash_somebody() {
  // Rather one with something to lose, and sometimes all of them: the lights go out.
  const bool all = world_.rng().chance(0.1);
  for (const NodeId id : world_.ids()) {
    SimMember& member = world_.member(id);
    if (member.running() && (all || (member.has_unsynced() && world_.rng().chance(0.7)))) crash(id);
  }
}

void Faults::on_new_leader(NodeId leader) {
  Rng& rng = world_.rng();
  if (!world_.faulty() || !rng.chance(world_.profile().kill_new_leader)) return;
  const bool cut = rng.chance(0.5);
  world_.at(rng.between(0, 20'000), [this, leader, cut] {
    if (!world_.faulty() || !world_.member(leader).running()) return;
    if (cut) {
      isolate(leader, true, true);
    } else {
      crash(leader);
    }
  });
}

void Faults::change_membership() {
  const auto leader = world_.a_leader();
  if (!leader) return;
  Rng& rng = world_.rng();
  SimMember& member = world_.member(*leader);
  const raft::Membership now = member.core().membership();
  raft::MembershipChange change;
  if (!now.learners.empty()) {
    change = {rng.chance(0.8) ? raft::ChangeKind::kPromote : raft::ChangeKind::kRemove,
              *now.learners.begin(), ""};
  } else if (now.voters.size() >= 3 && rng.chance(0.5)) {
    auto victim = now.voters.begin();
    std::advance(victim, static_cast<std::ptrdiff_t>(rng.below(now.voters.size())));
    change = {raft::ChangeKind::kRemove, *victim, ""};
  } else if (world_.ids().size() < 8) {
    change = {rng.chance(0.5) ? raft::ChangeKind::kAddLearner : raft::ChangeKind::kAddVoter,
              world_.add_member(), ""};
  } else {
    return;
  }
  world_.trace("change membership: " + std::to_string(static_cast<int>(change.kind)) + " n" +
               std::to_string(change.node.value));
  member.with_core([&](raft::Core& core) { return core.propose_config(0, change).ok(); });
}

void Faults::end() {
  world_.heal();
  for (const NodeId id : world_.ids()) {
    if (!world_.member(id).running()) world_.member(id).start();
  }
  world_.trace("faults end");
}

}  // namespace coracle::raft_sim
