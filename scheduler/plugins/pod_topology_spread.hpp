// PodTopologySpread: like pods in like numbers over the domains of a label. DoNotSchedule filters,
// ScheduleAnyway scores; pods without constraints are scored by the defaults (hostname with skew 3,
// zone with skew 5) against the pods of their services and controller.
#pragma once

#include <vector>

#include "framework/plugin.hpp"

namespace coracle::scheduler {

class PodTopologySpread final : public Plugin {
 public:
  // `defaults`: for pods without constraints; their selectors are not looked at.
  explicit PodTopologySpread(std::vector<SpreadConstraint> defaults, bool system_defaults)
      : defaults_(std::move(defaults)), system_defaults_(system_defaults) {}
  static std::vector<SpreadConstraint> upstream_defaults();

  std::string_view name() const override { return "PodTopologySpread"; }
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
    return event::kNodeAdded | event::kNodeLabels | event::kNodeTaints | event::kPodPlaced |
           event::kPodGone | event::kPodLeaving | event::kPodLabels | event::kNodeGone |
           event::kOwnLabels;
  }
  bool helps(const PodInfo&, const Change&) const override;

 private:
  std::vector<SpreadConstraint> constraints_of(const PodInfo&, const Snapshot&, bool hard) const;

  const std::vector<SpreadConstraint> defaults_;
  const bool system_defaults_;  // nodes without a key are scored all the same
};

}  // namespace coracle::scheduler
