#include "plugins/node_declared_features.hpp"

#include <algorithm>

namespace coracle::scheduler {

Verdict NodeDeclaredFeatures::pre_filter(const PodInfo& pod, const Snapshot&, StatePtr*) const {
  return pod.features.empty() ? Verdict::skip() : Verdict::yes();
}

Verdict NodeDeclaredFeatures::filter(const PodInfo& pod, const NodeInfo& node,
                                     const PluginState*) const {
  const auto& has = node.facts().features;
  if (std::includes(has.begin(), has.end(), pod.features.begin(), pod.features.end())) {
    return Verdict::yes();
  }
  return Verdict::never("node(s) didn't match Pod's required features");
}

bool NodeDeclaredFeatures::helps(const PodInfo& pod, const Change& change) const {
  return change.node == nullptr || turned_by_node(*this, pod, change);
}

}  // namespace coracle::scheduler
