// Faults: what goes wrong, when. Cuts, crashes, restarts, slow links, forced elections, membership
// changes, compaction. Everything is drawn from the world's Rng.
#pragma once

#include "base/ids.hpp"
#include "raft_sim/profile.hpp"

namespace coracle::raft_sim {

class World;

class Faults {
 public:
  explicit Faults(World& world) : world_(world) {}

  void start();
  void end();  // heals the network, restarts everybody
  void on_new_leader(NodeId leader);

 private:
  void next();
  void strike();
  void split();
  void isolate(NodeId id, bool inbound, bool outbound);
  void crash(NodeId id);
  void crash_somebody();
  void change_membership();

  World& world_;
};

}  // namespace coracle::raft_sim
