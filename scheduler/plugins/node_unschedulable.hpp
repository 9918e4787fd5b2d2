// NodeUnschedulable: a cordoned node takes no pods but those that tolerate it.
#pragma once

#include "framework/plugin.hpp"

namespace coracle::scheduler {

class NodeUnschedulable final : public Plugin {
 public:
  std::string_view name() const override { return "NodeUnschedulable"; }
  bool sees_one_node() const override { return true; }
  Verdict filter(const PodInfo&, const NodeInfo&, const PluginState*) const override;
  Events helped_by() const override {
    return event::kNodeAdded | event::kNodeTaints | event::kOwnTolerations;
  }
  bool helps(const PodInfo&, const Change&) const override;
};

}  // namespace coracle::scheduler
