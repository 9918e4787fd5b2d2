// NodePorts: a host port (address, protocol, number) is used by one pod a node.
#pragma once

#include "framework/plugin.hpp"

namespace coracle::scheduler {

class NodePorts final : public Plugin {
 public:
  std::string_view name() const override { return "NodePorts"; }
  bool sees_one_node() const override { return true; }
  Verdict pre_filter(const PodInfo&, const Snapshot&, StatePtr*) const override;
  Verdict filter(const PodInfo&, const NodeInfo&, const PluginState*) const override;
  Events helped_by() const override { return event::kNodeAdded | event::kPodGone; }
  bool helps(const PodInfo&, const Change&) const override;
};

}  // namespace coracle::scheduler
