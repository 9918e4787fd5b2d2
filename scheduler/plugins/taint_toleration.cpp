#include "plugins/taint_toleration.hpp"

namespace coracle::scheduler {

Verdict TaintToleration::filter(const PodInfo& pod, const NodeInfo& node,
                                const PluginState*) const {
  for (const api::Taint& taint : node.facts().taints) {
    if (taint.effect == api::TaintEffect::kPreferNoSchedule) continue;
    if (api::tolerated_by(taint, pod.tolerations)) continue;
    return Verdict::never("node(s) had untolerated taint {" + taint.key + ": " + taint.value + "}");
  }
  return Verdict::yes();
}

// How many PreferNoSchedule taints it would have to bear. Only tolerations of that effect, or of
// every effect, count.
std::int64_t TaintToleration::score(const PodInfo& pod, const NodeInfo& node,
                                    const PluginState*) const {
  std::int64_t borne = 0;
  for (const api::Taint& taint : node.facts().taints) {
    if (taint.effect != api::TaintEffect::kPreferNoSchedule) continue;
    if (!api::tolerated_by(taint, pod.tolerations)) ++borne;
  }
  return borne;
}

void TaintToleration::normalize(const PluginState*, std::vector<std::int64_t>& scores) const {
  scale_scores(scores, true);
}

bool TaintToleration::helps(const PodInfo& pod, const Change& change) const {
  return change.node == nullptr || turned_by_node(*this, pod, change);
}

}  // namespace coracle::scheduler
