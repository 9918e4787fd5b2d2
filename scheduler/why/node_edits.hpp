// One property of a node changed: each way an administrator lets pods onto it. Pure.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "framework/node_info.hpp"

namespace coracle::scheduler {

struct NodeEdit {
  std::string kind;
  double size = 0;
  std::string text;
  std::shared_ptr<const NodeFacts> facts;  // changed
};

// Uncordoned; each taint the pod does not bear taken off; each label that the pod's nodeSelector or
// an In rule of its node affinity asks for, set. `pod` is the whole object.
std::vector<NodeEdit> node_edits(const json::value& object, const PodInfo& pod,
                                 const NodeFacts& node);
// One more of its kind, with a name of its own.
std::shared_ptr<const NodeFacts> another_like(const NodeFacts& node);

}  // namespace coracle::scheduler
