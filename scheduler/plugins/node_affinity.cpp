#include "plugins/node_affinity.hpp"

#include <algorithm>

namespace coracle::scheduler {

Verdict NodeAffinity::pre_filter(const PodInfo& pod, const Snapshot&, StatePtr*) const {
  if (pod.required_nodes.anywhere() && !added_.required) return Verdict::skip();
  if (pod.only_nodes && pod.only_nodes->empty()) {
    return Verdict::never("pod affinity terms conflict");
  }
  return Verdict::yes();
}

Verdict NodeAffinity::filter(const PodInfo& pod, const NodeInfo& node, const PluginState*) const {
  const api::NodeLabels labels = node.facts().selectable();
  if (added_.required && std::none_of(added_.terms.begin(), added_.terms.end(),
                                      [&](const auto& term) { return term.matches(labels); })) {
    return Verdict::never("node(s) didn't match scheduler-enforced node affinity");
  }
  if (pod.required_nodes.anywhere() || pod.required_nodes.matches(labels)) {
    return Verdict::yes();
  }
  return Verdict::never("node(s) didn't match Pod's node affinity/selector");
}

Verdict NodeAffinity::pre_score(const PodInfo& pod, const Snapshot&,
                                const std::vector<std::uint32_t>&, StatePtr*) const {
  const bool nothing = pod.preferred_nodes.empty() && added_.preferred.empty();
  return nothing ? Verdict::skip() : Verdict::yes();
}

std::int64_t NodeAffinity::score(const PodInfo& pod, const NodeInfo& node,
                                 const PluginState*) const {
  std::int64_t sum = 0;
  for (const auto* terms : {&added_.preferred, &pod.preferred_nodes}) {
    for (const api::PreferredNodes& preferred : *terms) {
      if (preferred.term.matches(node.facts().selectable())) sum += preferred.weight;
    }
  }
  return sum;
}

void NodeAffinity::normalize(const PluginState*, std::vector<std::int64_t>& scores) const {
  scale_scores(scores, false);
}

bool NodeAffinity::helps(const PodInfo& pod, const Change& change) const {
  return change.node == nullptr || turned_by_node(*this, pod, change);
}

}  // namespace coracle::scheduler
