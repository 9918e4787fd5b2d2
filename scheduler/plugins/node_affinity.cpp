#include "plugins/node_affinity.hpp"

namespace coracle::scheduler {

Verdict NodeAffinity::pre_filter(const PodInfo& pod, const Snapshot&, StatePtr*) const {
  if (pod.required_nodes.anywhere()) return Verdict::skip();
  if (pod.only_nodes && pod.only_nodes->empty()) {
    return Verdict::never("pod affinity terms conflict");
  }
  return Verdict::yes();
}

Verdict NodeAffinity::filter(const PodInfo& pod, const NodeInfo& node, const PluginState*) const {
  if (pod.required_nodes.anywhere() || pod.required_nodes.matches(node.facts().selectable())) {
    return Verdict::yes();
  }
  return Verdict::never("node(s) didn't match Pod's node affinity/selector");
}

Verdict NodeAffinity::pre_score(const PodInfo& pod, const Snapshot&,
                                const std::vector<std::uint32_t>&, StatePtr*) const {
  return pod.preferred_nodes.empty() ? Verdict::skip() : Verdict::yes();
}

std::int64_t NodeAffinity::score(const PodInfo& pod, const NodeInfo& node,
                                 const PluginState*) const {
  std::int64_t sum = 0;
  for (const api::PreferredNodes& preferred : pod.preferred_nodes) {
    if (preferred.term.matches(node.facts().selectable())) sum += preferred.weight;
  }
  return sum;
}

void NodeAffinity::normalize(const PluginState*, std::vector<std::int64_t>& scores) const {
  scale_scores(scores, false);
}

bool NodeAffinity::helps(const PodInfo& pod, const Change& change) const {
  return change.node == nullptr || filter(pod, *change.node, nullptr).is_yes();
}

}  // namespace coracle::scheduler
