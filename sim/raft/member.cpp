#include "raft_sim/member.hpp"

#include <sstream>

#include "raft_sim/world.hpp"

namespace coracle::raft_sim {

SimMember::SimMember(World& world, NodeId id, raft::Membership initial)
    : world_(world), id_(id), rng_(world.rng().split()), disk_(std::move(initial)) {}

void SimMember::start() {
  CHECK(!running());
  ++incarnation_;
  const DurableImage& image = disk_.image();
  log_ = image.log;
  machine_ = image.machine;
  raft::Config config = world_.profile().core;
  config.id = id_;
  config.hard_state = image.hard_state;
  config.applied = machine_.applied;
  config.membership = machine_.membership;
  world_.checker().on_restart(id_, log_);
  core_ = std::make_unique<raft::Core>(config, log_, rng_);
  last_role_ = core_->role();
  tick_later();
  pump();
}

void SimMember::crash() {
  if (!running()) return;
  ++incarnation_;
  core_.reset();
  unsynced_.clear();
  staged_.reset();
  syncing_ = false;
  ++sync_epoch_;
  disk_.crash(world_.rng());
}

void SimMember::tick_later() {
  // Clocks drift: some members are faster than others.
  const Micros period = kTick - 500 + static_cast<Micros>(rng_.below(1000));
  world_.at(period, [this, life = incarnation_] {
    if (life != incarnation_) return;
    core_->tick();
    pump();
    tick_later();
  });
}

void SimMember::deliver(const raft::Message& message, const std::optional<Machine>& snapshot) {
  if (snapshot) staged_ = snapshot;
  const Status status = core_->step(message);
  if (!status.ok()) world_.checker().on_bad_status(id_, status);
  pump();
  staged_.reset();
}

void SimMember::pump() {
  while (running() && core_->has_ready()) carry_out(core_->take_ready());
  if (!running()) return;
  world_.checker().on_state(id_, *core_, log_);
  if (core_->role() != last_role_) {
    last_role_ = core_->role();
    if (world_.tracing()) world_.trace(describe());
    if (last_role_ == raft::Role::kLeader) world_.on_new_leader(*this);
  }
}

void SimMember::carry_out(raft::Ready ready) {
  std::uint64_t settled = 0;
  if (ready.install) {
    CHECK(staged_ && staged_->applied == ready.install->index);
    machine_ = *staged_;
    log_.reset(machine_.applied, machine_.applied_term);
    disk_.install(machine_);
    ++sync_epoch_;
    syncing_ = false;
    settled = ready.number - 1;
  }
  world_.checker().on_append(id_, ready.to_append, log_);
  log_.append(ready.to_append);
  if (settled != 0) finish_sync(0, settled);
  send(ready.send_now);
  if (ready.hard_state || !ready.to_append.empty()) {
    disk_.write(ready.hard_state, ready.to_append);
  }
  world_.checker().on_state(id_, *core_, log_);
  apply(ready.to_apply);
  for (const raft::ReadGrant& grant : ready.reads) world_.clients().on_read(*this, grant);
  for (const auto& outcome : ready.proposals) world_.clients().on_outcome(*this, outcome);
  if (!ready.must_sync && unsynced_.empty()) {
    send(ready.send_after_sync);
    core_->on_synced(ready.number);
    return;
  }
  unsynced_.push_back({ready.number, std::move(ready.send_after_sync)});
  start_sync();
}

void SimMember::send(const std::vector<raft::Message>& messages) {
  for (const raft::Message& m : messages) {
    world_.checker().on_send(id_, m, disk_.image());
    world_.send(m);
  }
}

void SimMember::apply(const std::vector<raft::Entry>& entries) {
  for (const raft::Entry& e : entries) {
    const auto revision = machine_.apply(e);
    world_.checker().on_applied(id_, e, revision);
    if (revision) world_.clients().on_applied(*this, decode_put(e.data)->id, *revision);
  }
  if (!entries.empty()) core_->on_applied(entries.back().index);
}

void SimMember::start_sync() {
  if (syncing_ || unsynced_.empty()) return;
  syncing_ = true;
  const Profile& p = world_.profile();
  const Micros takes = world_.rng().between(p.sync_min, world_.faulty() ? p.sync_max : 1000);
  world_.at(takes, [this, epoch = sync_epoch_, writes = disk_.unsynced(),
                    number = unsynced_.back().number] {
    if (epoch != sync_epoch_) return;
    syncing_ = false;
    finish_sync(writes, number);
    pump();
    start_sync();
  });
}

void SimMember::finish_sync(std::size_t writes, std::uint64_t number) {
  disk_.sync(writes);
  core_->on_synced(number);
  while (!unsynced_.empty() && unsynced_.front().number <= number) {
    send(unsynced_.front().messages);
    unsynced_.pop_front();
  }
}

void SimMember::flush_and_compact(std::uint64_t keep) {
  disk_.flush(machine_);
  const std::uint64_t applied = machine_.applied.value;
  const Index upto{applied > keep ? applied - keep : 0};
  disk_.compact(upto);
  log_.compact(upto);
  core_->on_compacted(upto);
}

std::string SimMember::describe() const {
  const raft::StatusReport s = core_->status();
  std::ostringstream out;
  out << "n" << id_ << ": " << raft::name_of(s.role) << " term=" << s.term << " log=" << s.first
      << ".." << s.last << " synced=" << s.synced << " commit=" << s.commit
      << " applied=" << s.applied;
  return out.str();
}

}  // namespace coracle::raft_sim
