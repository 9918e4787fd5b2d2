// NodeName: a pod that names its node fits that one only.
#pragma once

#include "framework/plugin.hpp"

namespace coracle::scheduler {

class NodeName final : public Plugin {
 public:
  std::string_view name() const override { return "NodeName"; }
  bool sees_one_node() const override { return true; }
  Verdict filter(const PodInfo&, const NodeInfo&, const PluginState*) const override;
  Events helped_by() const override { return event::kNodeAdded; }
  bool helps(const PodInfo&, const Change&) const override;
};

}  // namespace coracle::scheduler
