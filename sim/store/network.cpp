#include "store_sim/network.hpp"

#include "raft_sim/describe.hpp"
#include "store_sim/world.hpp"

namespace coracle::store_sim {

Micros SimNetwork::delay() {
  const Profile& p = world_.profile();
  Micros delay = world_.rng().between(100, world_.faulty() ? p.delay_max : 1000);
  if (world_.faulty() && world_.rng().chance(p.spike)) {
    delay += world_.rng().between(0, p.spike_max);
    world_.count("message late");
  }
  return delay;
}

bool SimNetwork::loses(NodeId from, NodeId to) {
  if (is_cut(from, to)) return world_.count("message cut off"), true;
  if (!world_.faulty() || !world_.rng().chance(world_.profile().drop)) return false;
  return world_.count("message lost"), true;
}

bool SimNetwork::repeats() {
  if (!world_.faulty() || !world_.rng().chance(world_.profile().duplicate)) return false;
  return world_.count("message repeated"), true;
}

void SimTransport::set_peers(const std::map<NodeId, std::vector<std::string>>& peer_urls) {
  peers_.clear();
  for (const auto& [peer, urls] : peer_urls) peers_.insert(peer);
}

void SimTransport::send(std::vector<raft::Message> messages) {
  SimNetwork& network = world_.network();
  const Micros busy = self_.disk().take_cost();
  self_.strand().hold(busy);
  for (const raft::Message& message : messages) {
    const raft::Header& header = raft::header_of(message);
    self_.on_send(message);
    if (world_.tracing()) world_.trace(self_.name() + " sends " + raft_sim::describe(message));
    const bool known = peers_.contains(header.to) || heard_.contains(header.to);
    if (known) maybe_unreachable(header.to);
    if (!known || network.loses(header.from, header.to)) continue;
    // The transport may repeat anything but a proposal, which it sends at most once.
    const bool repeatable = !std::holds_alternative<raft::ProposeReq>(message);
    const int copies = repeatable && network.repeats() ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
      world_.at(busy + network.delay(), [&world = world_, message] {
        const raft::Header& h = raft::header_of(message);
        if (world.network().is_cut(h.from, h.to)) return;
        if (SimMember* to = world.find(h.to)) to->receive(message);
      });
    }
  }
}

// Of one that does not run, or lies behind a cut, a transport that looks learns so; not always.
void SimTransport::maybe_unreachable(NodeId to) {
  if (!world_.profile().reports_unreachable) return;
  const SimMember* peer = world_.find(to);
  const bool there = peer != nullptr && peer->running() && !world_.network().is_cut(self_.id(), to);
  if (there || !world_.rng().chance(0.2)) return;
  world_.count("peer reported unreachable");
  self_.post([this, to] { events_->peer_unreachable(to); });
}

void SimTransport::send_snapshot(const raft::InstallSnapshot& order,
                                 std::shared_ptr<mvcc::StateSnapshot> state) {
  const std::uint64_t number = ++last_job_;
  jobs_[order.to] = {number, {order, std::move(state)}};
  world_.count("snapshot sent");
  if (world_.tracing()) {
    world_.trace(self_.name() + " sends its state as of entry " +
                 std::to_string(order.meta.index.value) + " to " + world_.find(order.to)->name());
  }
  const Micros takes = world_.rng().between(1000, world_.faulty() ? 500'000 : 20'000);
  world_.at(takes,
            [this, to = order.to, number, life = self_.life(), &world = world_, id = self_.id()] {
              SimMember* self = world.find(id);
              if (self != nullptr && self->life() == life && self->running()) arrive(to, number);
            });
}

void SimTransport::arrive(NodeId to, std::uint64_t number) {
  const auto job = jobs_.find(to);
  if (job == jobs_.end() || job->second.first != number) return;  // given up
  SimMember* receiver = world_.find(to);
  bool ok = receiver != nullptr && receiver->running() && !world_.network().loses(self_.id(), to);
  const auto hand_over = [&] {
    const Job& sent = job->second.second;
    ok = receiver->receive_snapshot(sent.order, *sent.state);
  };
  if (ok && !self_.survives(hand_over)) return;  // nor does this
  report(to, number, ok);
}

void SimTransport::report(NodeId to, std::uint64_t number, bool ok) {
  jobs_.erase(to);
  if (world_.tracing()) world_.trace(self_.name() + (ok ? " sent its state" : " lost its state"));
  if (!ok) world_.count("snapshot lost");
  self_.strand().post([this, to, ok] { events_->snapshot_sent(to, ok); });
}

}  // namespace coracle::store_sim
