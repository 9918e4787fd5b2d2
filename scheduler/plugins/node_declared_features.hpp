// NodeDeclaredFeatures: a pod that needs a feature of kubelets fits nodes that say they have it
// (status.declaredFeatures). What a pod needs is read from its spec (parse_features()).
#pragma once

#include "framework/plugin.hpp"

namespace coracle::scheduler {

class NodeDeclaredFeatures final : public Plugin {
 public:
  std::string_view name() const override { return "NodeDeclaredFeatures"; }
  Verdict pre_filter(const PodInfo&, const Snapshot&, StatePtr*) const override;
  Verdict filter(const PodInfo&, const NodeInfo&, const PluginState*) const override;
  Events helped_by() const override { return event::kNodeAdded | event::kNodeFeatures; }
  bool helps(const PodInfo&, const Change&) const override;
};

}  // namespace coracle::scheduler
