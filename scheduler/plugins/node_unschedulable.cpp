#include "plugins/node_unschedulable.hpp"

namespace coracle::scheduler {
namespace {

const api::Taint kCordoned{"node.kubernetes.io/unschedulable", "", api::TaintEffect::kNoSchedule};

}  // namespace

Verdict NodeUnschedulable::filter(const PodInfo& pod, const NodeInfo& node,
                                  const PluginState*) const {
  if (!node.facts().unschedulable || api::tolerated_by(kCordoned, pod.tolerations))
    return Verdict::yes();
  return Verdict::never("node(s) were unschedulable");
}

bool NodeUnschedulable::helps(const PodInfo& pod, const Change& change) const {
  return change.node == nullptr || turned_by_node(*this, pod, change);
}

}  // namespace coracle::scheduler
