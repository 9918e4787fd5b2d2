#include "plugins/node_name.hpp"

namespace coracle::scheduler {

Verdict NodeName::filter(const PodInfo& pod, const NodeInfo& node, const PluginState*) const {
  if (pod.node_name.empty() || pod.node_name == node.name()) return Verdict::yes();
  return Verdict::never("node(s) didn't match the requested node name");
}

}  // namespace coracle::scheduler
