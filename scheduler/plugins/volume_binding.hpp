// VolumeBinding: a pod runs where its volumes are or can be. Its bound claims' volumes must be
// reachable from the node. Claims that wait for their first consumer are bound for it: to a volume
// that is there (reserved until the bind is done), or to one that is made for the node, where the
// driver has room if it says where (CSIStorageCapacity). Claims that do not wait must be bound
// before. (Upstream: plugins/volumebinding.)
#pragma once

#include "framework/plugin.hpp"

namespace coracle::scheduler {

class VolumeBinding final : public Plugin {
 public:
  std::string_view name() const override { return "VolumeBinding"; }
  Verdict pre_filter(const PodInfo&, const Snapshot&, StatePtr*) const override;
  Verdict filter(const PodInfo&, const NodeInfo&, const PluginState*) const override;
  Verdict reserve(const PodInfo&, const std::string& node, const Snapshot&,
                  Reservations&) const override;
  void unreserve(const PodInfo&, const std::string& node, Reservations&) const override;
  Writes before_bind(const PodInfo&, const std::string& node, const Snapshot&) const override;
  Verdict may_bind(const PodInfo&, const std::string& node, const Snapshot&) const override;
  Events helped_by() const override {
    return event::kClaim | event::kVolume | event::kStorageClass | event::kNodeAdded |
           event::kNodeLabels | event::kCsi;
  }
  bool helps(const PodInfo&, const Change&) const override;
};

}  // namespace coracle::scheduler
