#include "store_sim/member.hpp"

#include <sstream>

#include "store_sim/world.hpp"

namespace coracle::store_sim {

// What the log said Ok to is durable from then on; what it did not is there wholly or not at all.
class SimMember::WatchedLog final : public disk::LogStore {
 public:
  WatchedLog(SimMember& self, std::unique_ptr<disk::LogStore> log)
      : self_(self), log_(std::move(log)) {}

  Status append(const std::optional<raft::HardState>& hard_state,
                const std::vector<raft::Entry>& entries) override {
    self_.world_.on_append(entries);
    self_.in_flight_ = entries;
    self_.in_flight_hard_ = hard_state;
    RETURN_IF_ERROR(log_->append(hard_state, entries));
    if (hard_state) self_.durable_.hard_state = *hard_state;
    self_.durable_.log.append(entries);
    self_.world_.checker().on_append(self_.id_, entries, self_.durable_.log);
    self_.in_flight_.clear();
    self_.in_flight_hard_.reset();
    return {};
  }
  Status reset(Index index, Term term) override {
    self_.resetting_ = raft::SnapshotMeta{index, term, {}};
    RETURN_IF_ERROR(log_->reset(index, term));
    self_.durable_.log.reset(index, term);
    self_.resetting_.reset();
    return {};
  }
  Status cut(Index index) override {
    self_.world_.count("log cut");
    return log_->cut(index);
  }

 private:
  SimMember& self_;
  const std::unique_ptr<disk::LogStore> log_;
};

SimMember::SimMember(World& world, store::MemberConfig config, SimClock clock)
    : world_(world),
      config_(std::move(config)),
      id_(store::identity_of(config_).member),
      clock_(clock),
      disk_(world.rng().split(), world.tally()) {}

SimMember::~SimMember() {
  disk_.stop();
  if (strand_) strand_->stop();
  member_.reset();
}

SimFolder::Hooks SimMember::folder_hooks() {
  SimFolder::Hooks hooks;
  hooks.later = [this, life = life_](std::function<void()> work) {
    world_.at(world_.rng().between(100, 30'000), [this, life, work = std::move(work)]() mutable {
      if (life == life_ && strand_) strand_->post(std::move(work));
    });
  };
  hooks.wrap_log = [this](std::unique_ptr<disk::LogStore> log, const disk::LogImage& image) {
    return watch_log(std::move(log), image);
  };
  return hooks;
}

void SimMember::start() {
  if (strand_ || damaged_ || retired_) return;
  ++life_;
  disk_.restart();
  disk_.set_sync_max(world_.faulty() ? world_.profile().sync_max : 1000);
  receiving_ = stopping_ = false;
  strand_ = std::make_unique<SimStrand>(world_.schedule(), clock_,
                                        [this](const SimStrand::Work& work) { turn(work); });
  folder_ =
      std::make_unique<SimFolder>(disk_, image_, world_.profile().segment_bytes, folder_hooks());
  transport_ = std::make_unique<SimTransport>(world_, *this);
  last_role_ = raft::Role::kFollower;
  world_.arm_disk(*this);
  guarded([this] {
    auto opened = store::Member::open(config_, {*strand_, *folder_, *transport_,
                                                world_.rng().next(), [this] { stopping_ = true; }});
    if (!opened.ok()) throw GivenUp{opened.status()};
    member_ = std::move(opened).value();
    world_.on_start(*this);
    member_->start();
    member_->end_of_turn();
  });
  if (running()) after_turn();
}

void SimMember::turn(const SimStrand::Work& work) {
  guarded([&] {
    work();
    member_->end_of_turn();
    if (stopping_) member_->finish();
  });
  if (!running()) return;
  if (!stopping_) return after_turn();
  world_.after_turn(*this);
  end(false, "stopped");
}

void SimMember::guarded(const std::function<void()>& work) {
  try {
    work();
  } catch (const Crash& crash) {
    end(crash.power, crash.power ? "lost power in the middle" : "was killed in the middle");
  } catch (const GivenUp& gone) {
    // A member that was removed does not start again. It may have learnt of that in a turn that
    // ended in the middle, before anybody looked.
    const auto applied = store::read_applied(*image_.now);
    if (applied.ok()) world_.on_applied(*this, applied->index);
    retired_ = world_.oracle().machine().removed().contains(id_);
    if (!disk_.failed() && !bit_flipped_ && !retired_) {
      world_.fail(name() + " gives up without a reason: " + gone.why.to_string());
    }
    damaged_ = !disk_.failed() && !retired_;
    end(false, "gives up: " + gone.why.to_string());
  }
}

void SimMember::end(bool power, const std::string& why) {
  if (world_.tracing()) world_.trace(name() + " " + why);
  disk_.stop();
  strand_->stop();
  world_.on_end(*this);
  member_.reset();
  transport_.reset();
  folder_.reset();
  // It may be this strand that runs just now.
  world_.at(0, [strand = std::shared_ptr<SimStrand>(std::move(strand_))] {});
  if (power) disk_.lose_power();
  // RocksDB's buffers are the process's, so they go either way.
  lose_power(image_, disk_.rng());
  const Micros down = world_.rng().chance(0.5) ? world_.rng().between(100, 20'000)
                                               : world_.rng().between(20'000, 800'000);
  world_.at(down, [this] { start(); });
}

void SimMember::kill(bool power) {
  if (!running()) return;
  world_.count(power ? "loss of power" : "kill");
  end(power, power ? "loses power" : "is killed");
}

void SimMember::stop_gracefully() {
  if (!running()) return;
  world_.count("graceful stop");
  post([this] { member_->stop_gracefully(); });
}

void SimMember::flip_bit_of_state() {
  if (!store_sim::flip_bit(image_, disk_.rng())) return;
  bit_flipped_ = true;
  world_.count("bit of the state flipped");
  if (world_.tracing()) world_.trace("a bit of the state of " + name() + " is flipped");
}

void SimMember::scrub() {
  post([this] {
    for (int family = 0; family < mvcc::kFamilies; ++family) {
      member_->state().scan(mvcc::Family(family), "", "", [](auto, auto) { return true; });
    }
  });
}

bool SimMember::survives(const std::function<void()>& work) {
  const std::uint64_t life = life_;
  guarded(work);
  return running() && life_ == life;
}

void SimMember::pause(Micros span) {
  if (!running()) return;
  world_.count("pause");
  if (world_.tracing()) world_.trace(name() + " is paused for " + std::to_string(span) + "us");
  strand_->hold(span);
}

void SimMember::jump_clock(Micros by) {
  world_.count("clock jump");
  ++jumps_;
  clock_.jumped_ns += by * 1000;
  if (strand_) strand_->wake_later(0);
}

void SimMember::retire() {
  retired_ = true;
  if (running()) end(false, "is retired");
}

void SimMember::receive(const raft::Message& message) {
  if (!running()) return;
  transport_->learn(raft::header_of(message).from);
  (void)strand_->try_post([this, message] { member_->step({message}); });
}

bool SimMember::receive_snapshot(const raft::InstallSnapshot& order,
                                 const mvcc::StateSnapshot& state) {
  if (receiving_) return false;
  auto staged = staged_copy(*folder_, state);
  if (!staged.ok()) return false;
  receiving_ = true;
  auto shared = std::make_shared<std::unique_ptr<store::StagedState>>(std::move(staged).value());
  strand_->post([this, order, shared] {
    world_.count("snapshot received");
    member_->install(order, std::move(*shared));
    strand_->post([this] { receiving_ = false; });
  });
  return true;
}

void SimMember::on_send(const raft::Message& message) {
  if (disk_.log_failed()) world_.fail("D5: " + name() + " goes on after its disk failed");
  world_.checker().on_send(id_, message, durable_);
}

std::unique_ptr<disk::LogStore> SimMember::watch_log(std::unique_ptr<disk::LogStore> log,
                                                     const disk::LogImage& image) {
  world_.check_log(*this, image, {in_flight_, in_flight_hard_, resetting_}, durable_);
  in_flight_.clear();
  in_flight_hard_.reset();
  resetting_.reset();
  world_.checker().on_restart(id_, durable_.log);
  return std::make_unique<WatchedLog>(*this, std::move(log));
}

void SimMember::after_turn() {
  strand_->hold(disk_.take_cost());
  world_.after_turn(*this);
  const raft::Role role = member_->core().role();
  if (role == last_role_) return;
  last_role_ = role;
  if (world_.tracing()) world_.trace(describe());
  if (role == raft::Role::kLeader) world_.on_new_leader(*this);
}

std::string SimMember::describe() {
  std::ostringstream out;
  out << name() << ": ";
  if (!running()) return out.str() + "down";
  const raft::StatusReport s = member_->core().status();
  out << raft::name_of(s.role) << " term=" << s.term << " log=" << s.first << ".." << s.last
      << " commit=" << s.commit << " applied=" << s.applied
      << " revision=" << member_->machine().store().revision();
  return out.str();
}

}  // namespace coracle::store_sim
