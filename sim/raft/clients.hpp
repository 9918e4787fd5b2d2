// Clients: each does one operation after another, writes and linearizable reads, at whatever member
// it happens to find, and gives up on one after a while (which leaves its outcome unknown).
#pragma once

#include <map>
#include <optional>

#include "raft/ready.hpp"
#include "raft_sim/profile.hpp"

namespace coracle::raft_sim {

class World;
class SimMember;

class Clients {
 public:
  explicit Clients(World& world) : world_(world) {}

  void start(int count);
  void on_applied(const SimMember& at, std::uint64_t id, Revision revision);
  void on_read(const SimMember& at, const raft::ReadGrant& grant);
  void on_outcome(const SimMember& at, const raft::ProposalOutcome& outcome);

  std::uint64_t writes() const { return writes_; }
  std::uint64_t reads() const { return reads_; }
  Micros last_write_at() const { return last_write_at_; }

 private:
  struct Operation {
    int client;
    NodeId member;
    std::uint64_t incarnation;
    Revision floor;
  };

  void next(int client, Micros pause);
  void begin(int client);
  // The operation if it is still awaited from this life of that member.
  std::optional<Operation> take(const SimMember& at, std::uint64_t id);

  World& world_;
  std::map<std::uint64_t, Operation> open_;
  std::uint64_t last_id_ = 0;
  std::uint64_t writes_ = 0;
  std::uint64_t reads_ = 0;
  Micros last_write_at_ = 0;
};

}  // namespace coracle::raft_sim
