#include "cluster_sim/network.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace coracle::cluster_sim {
namespace {

std::pair<MachineId, MachineId> unordered(const Machine& a, const Machine& b) {
  return {std::min(a.id, b.id), std::max(a.id, b.id)};
}

}  // namespace

Machine& Network::add(std::string name) {
  machines_.push_back(std::make_unique<Machine>());
  Machine& machine = *machines_.back();
  machine.id = static_cast<MachineId>(machines_.size());
  machine.name = std::move(name);
  CHECK_MSG(by_name_.emplace(machine.name, &machine).second, machine.name);
  return machine;
}

Machine* Network::find(const std::string& name) {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

bool Network::is_cut(const Machine& from, const Machine& to) const {
  if (from.id == to.id || exempt_.contains(from.id) || exempt_.contains(to.id)) return false;
  return alone_.contains(from.id) || alone_.contains(to.id) || cuts_.contains({from.id, to.id});
}

Duration Network::delay(const Machine& from, const Machine& to) {
  if (from.id == to.id) return Duration(0);
  Duration delay(rng_.between(options_.delay_min.count(), options_.delay_max.count()));
  if (quality_.empty() || exempt_.contains(from.id) || exempt_.contains(to.id)) return delay;
  for (const MachineId id : {from.id, to.id}) {
    const auto found = quality_.find(id);
    if (found == quality_.end() || found->second.extra <= Duration(0)) continue;
    delay += Duration(rng_.below(static_cast<std::uint64_t>(found->second.extra.count())));
  }
  return delay;
}

bool Network::loses(const Machine& from, const Machine& to) {
  if (quality_.empty() || exempt_.contains(from.id) || exempt_.contains(to.id)) return false;
  bool lost = false;
  for (const MachineId id : {from.id, to.id}) {
    const auto found = quality_.find(id);
    if (found != quality_.end()) lost = rng_.chance(found->second.loss) || lost;
  }
  return lost;
}

void Network::send(Machine& from, Machine& to, std::function<void()> work,
                   std::function<void()> refused) {
  transmit(from, to, lines_[{from.id, to.id}], {0, std::move(work), std::move(refused)});
}

void Network::send_to_life(Machine& from, Machine& to, std::uint64_t life,
                           std::function<void()> work) {
  transmit(from, to, lines_[{from.id, to.id}], {life, std::move(work), nullptr});
}

void Network::transmit(Machine& from, Machine& to, Line& line, Waiting message) {
  ++messages_;
  if (!line.stalled.empty() || is_cut(from, to)) {
    if (line.stalled.empty()) {
      line.stalled_since = timeline_.now();
      timeline_.at(timeline_.now() + kResend, [this, a = from.id, b = to.id] { try_again(a, b); });
    }
    line.stalled.push_back(std::move(message));
    return;
  }
  Duration takes = delay(from, to);
  while (loses(from, to)) takes += kResend;
  line.last = std::max(line.last, timeline_.now() + takes);
  timeline_.at(line.last, [this, &from, &to, message = std::move(message)]() mutable {
    arrive(from, to, std::move(message));
  });
}

void Network::try_again(MachineId from_id, MachineId to_id) {
  Machine &from = *machines_[from_id - 1], &to = *machines_[to_id - 1];
  Line& line = lines_[{from_id, to_id}];
  if (line.stalled.empty()) return;
  if (!is_cut(from, to)) {
    const auto messages = std::exchange(line.stalled, {});
    for (const Waiting& message : messages) transmit(from, to, line, message);
    return;
  }
  if (timeline_.now() - line.stalled_since >= kStall) {
    return break_pair(from, to, unavailable("connection timed out"));
  }
  // TCP backs off as well; a second is fine enough for what takes 45.
  timeline_.at(timeline_.now() + std::chrono::seconds(1),
               [this, from_id, to_id] { try_again(from_id, to_id); });
}

void Network::arrive(Machine& from, Machine& to, Waiting message) {
  const bool there = to.reachable() && (message.life == 0 || message.life == to.life);
  if (there) {
    to.strand->post(std::move(message.work));
  } else if (message.refused) {
    send(to, from, std::move(message.refused));
  }
}

void Network::datagram(Machine& from, Machine& to, Duration wait, std::function<void()> work) {
  ++messages_;
  if (is_cut(from, to) || loses(from, to)) return;
  timeline_.at(timeline_.now() + wait + delay(from, to), [&to, work = std::move(work)]() mutable {
    if (to.reachable()) (void)to.strand->try_post(std::move(work));
  });
}

void Network::enter(Session* session, const Machine& a, const Machine& b) {
  session->number_ = ++sessions_made_;
  sessions_[unordered(a, b)].emplace(session->number_, session);
}

void Network::leave(Session* session, const Machine& a, const Machine& b) {
  const std::uint64_t number = std::exchange(session->number_, 0);
  if (number == 0) return;
  const auto between = sessions_.find(unordered(a, b));
  if (between != sessions_.end()) between->second.erase(number);
}

void Network::break_pair(Machine& a, Machine& b, const Status& why) {
  lines_[{a.id, b.id}].stalled.clear();
  lines_[{b.id, a.id}].stalled.clear();
  const auto between = sessions_.find(unordered(a, b));
  if (between == sessions_.end()) return;
  // One may leave because of another; those that enter meanwhile are of another connection.
  auto& sessions = between->second;
  const std::uint64_t last = sessions_made_;
  while (!sessions.empty() && sessions.begin()->first <= last) {
    Session* const session = sessions.begin()->second;
    sessions.erase(sessions.begin());
    session->number_ = 0;
    session->broken(why);
  }
}

void Network::process_ended(Machine& machine) {
  for (const auto& other : machines_) {
    const Pair pair = unordered(machine, *other);
    const auto between = sessions_.find(pair);
    if (between == sessions_.end() || between->second.empty()) continue;
    // Its system resets the connections it had, which takes a message.
    std::vector<std::uint64_t> numbers;
    for (const auto& [number, session] : between->second) numbers.push_back(number);
    send(machine, *other, [this, pair, numbers] {
      for (const std::uint64_t number : numbers) {
        const auto of = sessions_.find(pair);
        const auto found = of->second.find(number);
        if (found == of->second.end()) continue;
        Session* const session = found->second;
        of->second.erase(found);
        session->number_ = 0;
        session->broken(unavailable("read: connection reset by peer"));
      }
    });
  }
}

void Network::heal() {
  cuts_.clear();
  alone_.clear();
  quality_.clear();
}

void Network::degrade(const Machine& machine, Duration extra, double loss) {
  quality_[machine.id] = {extra, std::min(loss, 0.9)};
  if (extra <= Duration(0) && loss <= 0) quality_.erase(machine.id);
}

}  // namespace coracle::cluster_sim
