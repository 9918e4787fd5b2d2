// SimMember: one member of the simulated world: a core, a disk and the honest driver between them,
// as raft/ready.hpp asks for it. While a sync is under way the member goes on, so that several
// Readies may wait for one sync.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "raft/core.hpp"
#include "raft_sim/disk.hpp"
#include "raft_sim/machine.hpp"
#include "raft_sim/profile.hpp"

namespace coracle::raft_sim {

class World;

class SimMember {
 public:
  SimMember(World& world, NodeId id, raft::Membership initial);

  NodeId id() const { return id_; }
  bool running() const { return core_ != nullptr; }
  std::uint64_t incarnation() const { return incarnation_; }
  const raft::Core& core() const { return *core_; }
  const Machine& machine() const { return machine_; }
  bool has_unsynced() const { return !unsynced_.empty(); }

  void start();
  void crash();

  // A call into the core, and everything that follows from it.
  template <class F>
  auto with_core(F call) {
    auto out = call(*core_);
    pump();
    return out;
  }
  void deliver(const raft::Message& message, const std::optional<Machine>& snapshot);
  void flush_and_compact(std::uint64_t keep);
  std::string describe() const;

 private:
  struct Unsynced {
    std::uint64_t number;
    std::vector<raft::Message> messages;
  };

  void tick_later();
  void pump();
  void carry_out(raft::Ready ready);
  void send(const std::vector<raft::Message>& messages);
  void apply(const std::vector<raft::Entry>& entries);
  void start_sync();
  void finish_sync(std::size_t writes, std::uint64_t number);

  World& world_;
  const NodeId id_;
  Rng rng_;
  SimDisk disk_;
  std::uint64_t incarnation_ = 0;
  raft::Role last_role_ = raft::Role::kFollower;

  // While running.
  raft::MemoryLog log_;
  Machine machine_;
  std::unique_ptr<raft::Core> core_;
  std::optional<Machine> staged_;
  std::deque<Unsynced> unsynced_;
  bool syncing_ = false;
  std::uint64_t sync_epoch_ = 0;
};

}  // namespace coracle::raft_sim
