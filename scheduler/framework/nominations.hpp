// Nominations: pods that wait for their victims to leave, by the node they wait for. Value type.
// Bound: the waiting pods. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "framework/pod_info.hpp"

namespace coracle::scheduler {

class Nominations {
 public:
  // A pod is nominated to one node at most; the last word counts.
  void set(const PodPtr& pod, const std::string& node);
  // True if it was nominated.
  bool remove(const std::string& uid);
  // Empty: to none.
  std::string node_of(const std::string& uid) const;
  // In the order in which they were nominated.
  const std::vector<PodPtr>& on(const std::string& node) const;
  bool empty() const { return nodes_.empty(); }

 private:
  std::map<std::string, std::vector<PodPtr>> pods_;  // by node
  std::map<std::string, std::string> nodes_;         // by uid of the pod
};

}  // namespace coracle::scheduler
