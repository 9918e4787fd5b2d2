// Faults: what goes wrong, when. Everything is drawn from the world's Rng.
#pragma once

#include "base/ids.hpp"

namespace coracle::store_sim {

class World;
class SimMember;

class Faults {
 public:
  explicit Faults(World& world) : world_(world) {}

  void start();
  void on_new_leader(SimMember& leader);
  // A machine starts: sometimes it does not get far.
  void arm_disk(SimMember& member);

 private:
  void next();
  void strike();
  void strike_network(SimMember& member);
  void strike_disk(SimMember& member);
  void strike_state(SimMember& member);
  bool may_flip();
  void strike_process(SimMember& member);
  void split();
  void isolate(const SimMember& member, bool inbound, bool outbound);
  void end();

  World& world_;
  bool flipped_ = false;  // a bit of some disk
};

}  // namespace coracle::store_sim
