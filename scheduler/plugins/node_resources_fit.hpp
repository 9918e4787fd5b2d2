// NodeResourcesFit: what the pod requests is free on the node, and a place among its pods. Scores
// by how much is taken, the pod included: LeastAllocated spreads, MostAllocated packs,
// RequestedToCapacityRatio follows a curve.
#pragma once

#include <string>
#include <vector>

#include "framework/plugin.hpp"
#include "plugins/plugin_args.hpp"

namespace coracle::scheduler {

class NodeResourcesFit final : public Plugin {
 public:
  explicit NodeResourcesFit(FitArgs args = {}) : args_(std::move(args)) {}
  std::string_view name() const override { return "NodeResourcesFit"; }
  bool sees_one_node() const override { return true; }
  Verdict filter(const PodInfo&, const NodeInfo&, const PluginState*) const override;
  std::int64_t score(const PodInfo&, const NodeInfo&, const PluginState*) const override;
  Events helped_by() const override {
    return event::kNodeAdded | event::kNodeGrew | event::kPodGone | event::kOwnRequests;
  }
  bool helps(const PodInfo&, const Change&) const override;

 private:
  bool ignores(const std::string& resource) const;

  const FitArgs args_;
};

// Of scoring: cpu and memory as kDefault* count them, others as requested.
std::int64_t amount_with(const PodInfo& pod, const NodeInfo& node, const std::string& resource);

}  // namespace coracle::scheduler
