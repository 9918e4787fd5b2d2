// VolumeZone: a volume that is labelled with a zone or region is reached from nodes of it only; a
// node without such labels is taken to be of every one. (Upstream: plugins/volumezone.)
#pragma once

#include "framework/plugin.hpp"

namespace coracle::scheduler {

class VolumeZone final : public Plugin {
 public:
  std::string_view name() const override { return "VolumeZone"; }
  Verdict pre_filter(const PodInfo&, const Snapshot&, StatePtr*) const override;
  Verdict filter(const PodInfo&, const NodeInfo&, const PluginState*) const override;
  Events helped_by() const override {
    return event::kClaim | event::kVolume | event::kStorageClass | event::kNodeAdded |
           event::kNodeLabels;
  }
  bool helps(const PodInfo&, const Change&) const override;
};

}  // namespace coracle::scheduler
