// NodeVolumeLimits: a node attaches so many disks of a kind: what its allocatable says, else the
// default of the kind; and so many volumes of a CSI driver as its CSINode says. The same disk twice
// counts once, whether a pod names it or a bound claim.
#pragma once

#include "framework/plugin.hpp"

namespace coracle::scheduler {

class NodeVolumeLimits final : public Plugin {
 public:
  std::string_view name() const override { return "NodeVolumeLimits"; }
  Verdict pre_filter(const PodInfo&, const Snapshot&, StatePtr*) const override;
  Verdict filter(const PodInfo&, const NodeInfo&, const PluginState*) const override;
  Events helped_by() const override {
    return event::kNodeAdded | event::kNodeGrew | event::kPodGone | event::kCsi;
  }
  bool helps(const PodInfo&, const Change&) const override;
};

}  // namespace coracle::scheduler
