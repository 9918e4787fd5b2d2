// One demand of a pod less, or one toleration more: each way to change a pod so that a predicate
// may let it. Pure.
#pragma once

#include <string>
#include <vector>

#include "framework/node_info.hpp"

namespace coracle::scheduler {

struct PodEdit {
  std::string kind;
  double size = 0;
  std::string text;
  PodPtr pod;  // changed
};

// Each nodeSelector entry, required node affinity rule, required pod (anti-)affinity term, hard
// spread constraint and host port left out, one at a time. O(size of the pod) each.
std::vector<PodEdit> without_one_demand(const json::value& object);
// Each taint of the node that the pod does not bear, borne.
std::vector<PodEdit> with_one_toleration(const PodInfo& pod, const NodeFacts& node);
// Each request that is more than the node has free, lowered to what it has.
std::vector<PodEdit> with_one_request_lowered(const PodInfo& pod, const NodeInfo& node);

// "a=b:NoSchedule", as `kubectl taint` takes it.
std::string taint_text(const api::Taint& taint);

}  // namespace coracle::scheduler
