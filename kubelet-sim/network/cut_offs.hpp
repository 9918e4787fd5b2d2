// CutOffs: nodes whose network is cut off: what is on one of them reaches only what is on it too.
// Pure; one owner.
#pragma once

#include <functional>
#include <set>
#include <string>

namespace coracle::network {

class CutOffs {
 public:
  // The node an address is on, a node's own or a pod's; empty: on none, as the machine itself is.
  using NodeOf = std::function<std::string(const std::string& address)>;
  explicit CutOffs(NodeOf node_of) : node_of_(std::move(node_of)) {}

  void set(const std::string& node, bool cut) {
    cut ? void(cut_.insert(node)) : void(cut_.erase(node));
  }
  // Whether a packet arrives. O(1) while no node is cut off.
  bool passes(const std::string& from, const std::string& to) const {
    if (cut_.empty()) return true;
    const std::string here = node_of_(from), there = node_of_(to);
    return here == there || !(cut_.contains(here) || cut_.contains(there));
  }

 private:
  NodeOf node_of_;
  std::set<std::string> cut_;
};

}  // namespace coracle::network
