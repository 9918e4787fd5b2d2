#include "plugins/node_name.hpp"

namespace coracle::scheduler {

Verdict NodeName::filter(const PodInfo& pod, const NodeInfo& node, const PluginState*) const {
  if (pod.node_name.empty() || pod.node_name == node.name()) return Verdict::yes();
  return Verdict::never("node(s) didn't match the requested node name");
}

bool NodeName::helps(const PodInfo& pod, const Change& change) const {
  return change.node == nullptr || turned_by_node(*this, pod, change);
}

}  // namespace coracle::scheduler
