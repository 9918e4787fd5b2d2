// TaintToleration: NoSchedule and NoExecute taints keep away who does not tolerate them (pressure,
// not-ready and unreachable nodes carry such taints); each PreferNoSchedule one costs score.
#pragma once

#include "framework/plugin.hpp"

namespace coracle::scheduler {

class TaintToleration final : public Plugin {
 public:
  std::string_view name() const override { return "TaintToleration"; }
  bool sees_one_node() const override { return true; }
  Verdict filter(const PodInfo&, const NodeInfo&, const PluginState*) const override;
  std::int64_t score(const PodInfo&, const NodeInfo&, const PluginState*) const override;
  void normalize(const PluginState*, std::vector<std::int64_t>&) const override;
  Events helped_by() const override {
    return event::kNodeAdded | event::kNodeTaints | event::kOwnTolerations;
  }
  bool helps(const PodInfo&, const Change&) const override;
};

}  // namespace coracle::scheduler
