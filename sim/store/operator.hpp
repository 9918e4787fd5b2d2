// Operator: changes the membership as a person would: adds members, promotes and removes them,
// replaces one whose disk is damaged, and turns removed ones off some time later.
#pragma once

#include <set>

#include "base/ids.hpp"
#include "raft/membership.hpp"

namespace coracle::store_sim {

class World;
class SimMember;

class Operator {
 public:
  explicit Operator(World& world) : world_(world) {}

  void start();
  void change_membership();
  bool busy() const;  // a damaged member is not replaced yet

 private:
  void look_around();
  void make_space();
  void propose(SimMember& leader, raft::ChangeKind kind, NodeId node);

  World& world_;
  std::set<NodeId> seen_;  // were members at some time
};

}  // namespace coracle::store_sim
