// Cache: which pods count on which node. It owns the Snapshot decisions read, and changes it pod by
// pod. Pure; one owner (the scheduler's strand).
//
//   assume -> (informer shows the pod placed) -> placed -> (deleted or finished) -> gone
//          -> forget: the bind failed
// What plugins reserved for a pod ends with its being assumed; from placed to gone its claims
// count.
//
// Invariants (SchedulerCacheChecker, cache/checker.hpp): a node's sums are those of its pods; every
// pod counts on exactly one node; a placed pod the informer told of wins over an assumed one.
// Nodes that are not known (any more) but have pods are kept apart until the pods leave.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "framework/plugin.hpp"

namespace coracle::scheduler {

class Cache {
 public:
  const Snapshot& snapshot() const { return snapshot_; }
  // Claims, namespaces, nominations, budgets, services and controllers: the driver keeps them.
  Snapshot& surroundings() { return snapshot_; }

  // What of it may help waiting pods; 0: nothing that a decision reads has changed.
  Events set_node(std::shared_ptr<const NodeFacts> facts);
  void remove_node(const std::string& name);
  const NodeInfo* find_node(const std::string& name) const;

  // The pod will run on the node; it counts there from now on, on the devices that are reserved for
  // it. CHECKs that it does not count yet.
  void assume(const PodInfo& pod, const std::string& node);
  // The bind failed. Nothing when the informer confirmed the pod, or took it away, meanwhile.
  void forget(const std::string& key, const std::string& uid);
  // The informer shows the pod on pod->node_name: added, confirmed, moved or updated.
  Events set_pod(PodPtr pod);
  // True if it counted.
  bool remove_pod(const std::string& key);

  bool is_assumed(const std::string& key) const;
  const PodPtr* find_pod(const std::string& key) const;
  size_t pods() const { return pods_.size(); }
  size_t assumed() const { return assumed_; }

 private:
  friend class SchedulerCacheChecker;
  struct Placed {
    PodPtr pod;
    bool assumed = false;
  };
  void place(PodPtr pod, bool assumed);

  Snapshot snapshot_;
  std::map<std::string, NodeInfo> unknown_;       // have pods but no Node object
  std::unordered_map<std::string, Placed> pods_;  // by key; never iterated by decisions
  size_t assumed_ = 0;
};

}  // namespace coracle::scheduler
