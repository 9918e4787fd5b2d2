// InterPodAffinity: pods near to, or far from, other pods, by topology domain; what is asked by the
// pod and what is asked by the pods that run (their anti-affinity binds the newcomer too).
#pragma once

#include "framework/plugin.hpp"
#include "plugins/plugin_args.hpp"

namespace coracle::scheduler {

class InterPodAffinity final : public Plugin {
 public:
  explicit InterPodAffinity(PodAffinityArgs args = {}) : args_(args) {}
  std::string_view name() const override { return "InterPodAffinity"; }
  Verdict pre_filter(const PodInfo&, const Snapshot&, StatePtr*) const override;
  Verdict filter(const PodInfo&, const NodeInfo&, const PluginState*) const override;
  void add_pod(const PodInfo&, const PodInfo& other, const NodeInfo&, PluginState*) const override;
  void remove_pod(const PodInfo&, const PodInfo& other, const NodeInfo&,
                  PluginState*) const override;
  Verdict pre_score(const PodInfo&, const Snapshot&, const std::vector<std::uint32_t>& fitting,
                    StatePtr*) const override;
  std::int64_t score(const PodInfo&, const NodeInfo&, const PluginState*) const override;
  void normalize(const PluginState*, std::vector<std::int64_t>&) const override;
  Events helped_by() const override {
    return event::kNodeAdded | event::kNodeLabels | event::kPodPlaced | event::kPodGone |
           event::kPodLabels | event::kNamespace | event::kOwnLabels;
  }
  bool helps(const PodInfo&, const Change&) const override;

 private:
  const PodAffinityArgs args_;
};

}  // namespace coracle::scheduler
