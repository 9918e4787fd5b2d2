// What a node refuses although it was chosen: a pod that was bound by hand, or by a scheduler that
// did not look (upstream: pkg/kubelet/lifecycle/predicate.go). Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "kubelet/node_object.hpp"

namespace coracle::kubelet {

// What the pods of a node take of it. Add a pod when it is admitted, remove it when it has ended.
class NodeLoad {
 public:
  void add(const std::string& uid, const json::value& pod);
  void remove(const std::string& uid);
  size_t pods() const { return shares_.size(); }

 private:
  friend struct Admission;
  struct Share {
    std::map<std::string, std::int64_t> requests;  // cpu in thousandths
    std::set<std::string> ports;                   // "TCP 0.0.0.0 80"
  };
  static Share share_of(const json::value& pod);

  std::map<std::string, Share> shares_;
  std::map<std::string, std::int64_t> total_;
};

struct Rejection {
  // OutOfcpu, OutOfpods, NodePorts, NodeAffinity, SysctlForbidden: of the event and the status
  std::string reason;
  std::string message;  // of the event; the status says "Pod was rejected: " before it
};

struct Admission {
  const NodeFacts& facts;
  const json::object* labels;  // of the node, as the API has them; null: not known yet
  const NodeLoad& load;
  // Nothing: it may run. O(pods on the node) for a pod with host ports.
  std::optional<Rejection> refuse(const json::value& pod) const;
};

}  // namespace coracle::kubelet
