#include "raft_sim/clients.hpp"

#include "raft_sim/world.hpp"

namespace coracle::raft_sim {
namespace {

constexpr Micros kPatience = 400'000;
constexpr std::uint64_t kKeys = 5;

}  // namespace

void Clients::start(int count) {
  for (int c = 0; c < count; ++c) next(c, 1000);
}

void Clients::next(int client, Micros pause) {
  if (world_.now() + pause >= kClientsEnd) return;
  world_.at(pause, [this, client] { begin(client); });
}

void Clients::begin(int client) {
  SimMember* member = world_.random_running();
  Rng& rng = world_.rng();
  const Micros pause = rng.between(1000, 20'000);
  if (member == nullptr) return next(client, pause);
  const std::uint64_t id = ++last_id_;
  open_[id] = {client, member->id(), member->incarnation(), world_.checker().floor()};
  const bool write = rng.chance(0.5);
  const Put put{id, rng.below(kKeys)};
  // The answer may come before the call returns.
  const Status status = member->with_core([&](raft::Core& core) {
    return write ? core.propose(id, encode(put)).status() : core.read_index(id);
  });
  if (!status.ok()) {
    open_.erase(id);
    return next(client, pause);
  }
  world_.at(kPatience, [this, id, client] {
    if (open_.erase(id) != 0) next(client, 1000);
  });
}

std::optional<Clients::Operation> Clients::take(const SimMember& at, std::uint64_t id) {
  const auto it = open_.find(id);
  if (it == open_.end() || it->second.member != at.id() ||
      it->second.incarnation != at.incarnation()) {
    return std::nullopt;
  }
  const Operation operation = it->second;
  open_.erase(it);
  next(operation.client, world_.rng().between(500, 8000));
  return operation;
}

void Clients::on_applied(const SimMember& at, std::uint64_t id, Revision revision) {
  const auto operation = take(at, id);
  if (!operation) return;
  ++writes_;
  last_write_at_ = world_.now();
  world_.checker().on_write_acknowledged(id, revision, operation->floor);
}

void Clients::on_read(const SimMember& at, const raft::ReadGrant& grant) {
  const auto operation = take(at, grant.context);
  if (!operation || grant.refusal != raft::Refusal::kNone) return;
  ++reads_;
  world_.checker().on_read_answered(grant.context, at.machine().revision, operation->floor);
}

void Clients::on_outcome(const SimMember& at, const raft::ProposalOutcome& outcome) {
  if (outcome.refusal != raft::Refusal::kNone) take(at, outcome.request);
}

}  // namespace coracle::raft_sim
