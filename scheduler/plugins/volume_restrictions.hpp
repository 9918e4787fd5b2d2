// VolumeRestrictions: a disk that only one pod may write is not mounted twice on a node, and a
// ReadWriteOncePod claim is used by one pod of the cluster: by a placed one, or by one whose bind
// is under way (reserved). A claim that is not there is waited for.
#pragma once

#include "framework/plugin.hpp"

namespace coracle::scheduler {

class VolumeRestrictions final : public Plugin {
 public:
  std::string_view name() const override { return "VolumeRestrictions"; }
  Verdict pre_filter(const PodInfo&, const Snapshot&, StatePtr*) const override;
  Verdict filter(const PodInfo&, const NodeInfo&, const PluginState*) const override;
  void add_pod(const PodInfo&, const PodInfo& other, const NodeInfo&, PluginState*) const override;
  void remove_pod(const PodInfo&, const PodInfo& other, const NodeInfo&,
                  PluginState*) const override;
  Verdict reserve(const PodInfo&, const std::string& node, const Snapshot&,
                  Reservations&) const override;
  void unreserve(const PodInfo&, const std::string& node, Reservations&) const override;
  Events helped_by() const override { return event::kNodeAdded | event::kPodGone | event::kClaim; }
  bool helps(const PodInfo&, const Change&) const override;
};

}  // namespace coracle::scheduler
