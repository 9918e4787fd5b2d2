#include "raft_sim/world.hpp"

#include "raft_sim/describe.hpp"

namespace coracle::raft_sim {

World::World(std::uint64_t seed, TraceSink sink)
    : rng_(seed),
      profile_(Profile::draw(rng_)),
      sink_(std::move(sink)),
      clients_(*this),
      faults_(*this) {
  raft::Membership initial;
  for (int i = 1; i <= profile_.members; ++i) {
    initial.voters.insert(NodeId{static_cast<std::uint64_t>(i)});
  }
  for (const NodeId id : initial.voters) {
    members_.emplace(id, std::make_unique<SimMember>(*this, id, initial));
  }
}

void World::trace(const std::string& line) {
  if (sink_) sink_(std::to_string(events_) + " " + std::to_string(now_) + "us " + line);
}

void World::at(Micros delay, std::function<void()> what) {
  queue_.push({now_ + delay, ++scheduled_, std::move(what)});
}

Outcome World::run(std::uint64_t until) {
  for (auto& [id, member] : members_) member->start();
  clients_.start(profile_.clients);
  faults_.start();
  at(kFaultsEnd, [this] { faults_.end(); });
  at(kEnd, [this] { check_end(); });
  while (!queue_.empty() && now_ < kEnd && events_ < until && checker_.failure().empty()) {
    const Event event = queue_.top();
    queue_.pop();
    now_ = event.at;
    ++events_;
    event.what();
  }
  return {checker_.failure(), events_, clients_.writes(), clients_.reads(), checker_.committed()};
}

std::vector<NodeId> World::ids() const {
  std::vector<NodeId> out;
  for (const auto& [id, member] : members_) out.push_back(id);
  return out;
}

SimMember* World::random_running() {
  std::vector<SimMember*> running;
  for (auto& [id, member] : members_) {
    if (member->running()) running.push_back(member.get());
  }
  return running.empty() ? nullptr : running[rng_.below(running.size())];
}

std::optional<NodeId> World::a_leader() const {
  std::optional<std::pair<Term, NodeId>> best;
  for (const auto& [id, member] : members_) {
    if (!member->running() || member->core().role() != raft::Role::kLeader) continue;
    best = std::max(best, std::optional(std::pair(member->core().term(), id)));
  }
  return best ? std::optional(best->second) : std::nullopt;
}

NodeId World::add_member() {
  const NodeId id = members_.rbegin()->first.next();
  members_.emplace(id, std::make_unique<SimMember>(*this, id, raft::Membership{}));
  member(id).start();
  return id;
}

bool World::is_lost(const raft::Header& header) {
  return cuts_.contains({header.from, header.to}) || (faulty() && rng_.chance(profile_.drop));
}

void World::send(const raft::Message& message) {
  if (tracing()) trace("send " + describe(message));
  if (const auto* order = std::get_if<raft::InstallSnapshot>(&message))
    return send_snapshot(*order);
  if (is_lost(raft::header_of(message))) return;
  deliver_later(message, std::nullopt);
  // The transport may repeat anything but a proposal, which it sends at most once.
  const bool repeatable = !std::holds_alternative<raft::ProposeReq>(message);
  if (faulty() && repeatable && rng_.chance(profile_.duplicate)) {
    deliver_later(message, std::nullopt);
  }
}

void World::deliver_later(const raft::Message& message, const std::optional<Machine>& snapshot) {
  Micros delay = rng_.between(profile_.delay_min, faulty() ? profile_.delay_max : 2000);
  if (faulty() && rng_.chance(profile_.spike)) delay += rng_.between(0, profile_.spike_max);
  if (snapshot) delay += 20'000;
  at(delay, [this, message, snapshot] {
    const raft::Header& header = raft::header_of(message);
    SimMember& to = member(header.to);
    if (!to.running() || cuts_.contains({header.from, header.to})) return;
    if (tracing()) trace("recv " + describe(message));
    to.deliver(message, snapshot);
  });
}

void World::send_snapshot(const raft::InstallSnapshot& order) {
  SimMember& from = member(order.from);
  raft::InstallSnapshot sent = order;
  const Machine state = from.machine();
  sent.meta = {state.applied, state.applied_term, state.membership};
  const bool ok = !is_lost(order);
  if (ok) deliver_later(sent, state);
  at(60'000, [this, order, ok, life = from.incarnation()] {
    SimMember& sender = member(order.from);
    if (!sender.running() || sender.incarnation() != life) return;
    sender.with_core([&](raft::Core& core) {
      core.report_snapshot(order.to, ok);
      return 0;
    });
  });
}

void World::check_end() {
  const auto leader = a_leader();
  if (!leader) return checker_.fail("liveness: no leader after the faults ended");
  if (clients_.last_write_at() <= kFaultsEnd) {
    return checker_.fail("liveness: no write succeeded after the faults ended");
  }
  const SimMember& lead = member(*leader);
  for (const NodeId id : ids()) {
    if (!lead.core().membership().contains(id)) continue;
    if (member(id).machine() == lead.machine()) continue;
    checker_.fail("convergence: " + member(id).describe() + " is not equal to " + lead.describe());
  }
}

}  // namespace coracle::raft_sim
