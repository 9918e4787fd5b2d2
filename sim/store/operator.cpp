#include "store_sim/operator.hpp"

#include "store_sim/world.hpp"

namespace coracle::store_sim {
namespace {

constexpr Micros kPause = 300'000;

}  // namespace

void Operator::start() {
  world_.at(kPause, [this] {
    look_around();
    start();
  });
}

bool Operator::busy() const {
  for (const auto& member : world_.members()) {
    if (member->damaged() && world_.oracle().membership().contains(member->id())) return true;
  }
  return false;
}

void Operator::look_around() {
  if (world_.oracle().machine().has_alarm(store::pb::NOSPACE)) make_space();
  const raft::Membership& now = world_.oracle().membership();
  SimMember* leader = world_.leader();
  for (const auto& member : world_.members()) {
    const bool belongs = now.contains(member->id());
    if (belongs) seen_.insert(member->id());
    if (!belongs && seen_.contains(member->id()) && !member->retired()) {
      world_.at(world_.rng().between(0, 2'000'000), [m = member.get()] { m->retire(); });
    }
    if (belongs && member->damaged() && leader != nullptr) {
      propose(*leader, raft::ChangeKind::kRemove, member->id());
      return;
    }
  }
  // The next ones become whole again, and replace what was lost.
  if (leader == nullptr || world_.now() > kClientsEnd) return;
  if (!now.learners.empty() && world_.rng().chance(0.5)) {
    propose(*leader, raft::ChangeKind::kPromote, *now.learners.begin());
  } else if (world_.profile().members >= 3 && now.voters.size() < 3 && now.learners.empty() &&
             world_.members().size() < 9) {
    propose(*leader, raft::ChangeKind::kAddLearner, world_.add_member().id());
  }
}

// What etcd's documentation says: make room (some do not think of it at once), compact, defragment
// every member, disarm.
void Operator::make_space() {
  Rng& rng = world_.rng();
  SimMember* member = world_.random_running();
  if (member == nullptr || (world_.faulty() && rng.chance(0.5))) return;
  world_.count("space made");
  store::Proposal request;
  request.mutable_delete_range()->set_key("a/");
  request.mutable_delete_range()->set_range_end("c");
  if (!world_.faulty() || rng.chance(0.5)) world_.clients().ask(*member, request);
  request.mutable_compaction()->set_revision(world_.oracle().revision());
  world_.clients().ask(*member, request);
  for (const auto& each : world_.members()) {
    if (!each->running()) continue;
    each->post([m = each.get()] { m->member().defragment([] {}); });
  }
  for (const auto& [alarm, raised_by] : world_.oracle().machine().alarms()) {
    store::Proposal disarm;
    disarm.mutable_alarm()->set_action(store::pb::AlarmRequest::DEACTIVATE);
    disarm.mutable_alarm()->set_memberid(raised_by);
    disarm.mutable_alarm()->set_alarm(alarm);
    world_.at(rng.between(20'000, 200'000), [member, disarm, life = member->life()] {
      if (!member->running() || member->life() != life) return;
      member->post([member, disarm] { member->member().propose(disarm, [](const auto&) {}); });
    });
  }
}

void Operator::change_membership() {
  SimMember* leader = world_.leader();
  if (leader == nullptr || busy()) return;
  Rng& rng = world_.rng();
  const raft::Membership now = leader->member().core().membership();
  if (!now.learners.empty()) {
    const bool promote = rng.chance(0.8);
    propose(*leader, promote ? raft::ChangeKind::kPromote : raft::ChangeKind::kRemove,
            *now.learners.begin());
  } else if (now.voters.size() > 3 && rng.chance(0.6)) {
    auto victim = now.voters.begin();
    std::advance(victim, std::ptrdiff_t(rng.below(now.voters.size())));
    propose(*leader, raft::ChangeKind::kRemove, *victim);
  } else if (world_.members().size() < 8) {
    propose(*leader, raft::ChangeKind::kAddLearner, world_.add_member().id());
  }
}

void Operator::propose(SimMember& leader, raft::ChangeKind kind, NodeId node) {
  const SimMember& subject = *world_.find(node);
  store::pb::Member described;
  described.set_id(node.value);
  described.set_name(subject.name());
  for (const std::string& url : subject.config().advertise_peer) described.add_peerurls(url);
  // Else it is a voter to be, which the leader promotes when it has caught up.
  described.set_islearner(kind == raft::ChangeKind::kAddLearner && world_.rng().chance(0.5));
  world_.count("membership change proposed");
  if (world_.tracing()) {
    world_.trace("operator at " + leader.name() + ": change " + std::to_string(int(kind)) + " of " +
                 subject.name());
  }
  leader.post(
      [&leader, change = raft::MembershipChange{kind, node, described.SerializeAsString()}] {
        leader.member().propose_change(change, [](const store::Outcome&) {});
      });
}

}  // namespace coracle::store_sim
