// GpuClustering: pods of a kind together: those that share a device, those of one device, of two ..
// Best a node with this kind alone, then one with others besides, then an empty one, then one with
// others only; within each the fuller. After Weng et al., "MLaaS in the Wild", NSDI'22 (Gandiva's
// affinity), as the paper of FGD compares it.
#pragma once

#include "framework/plugin.hpp"
#include "plugins/plugin_args.hpp"

namespace coracle::scheduler {

class GpuClustering final : public Plugin {
 public:
  explicit GpuClustering(GpuArgs args = {}) : args_(std::move(args)) {}
  std::string_view name() const override { return "GpuClustering"; }
  std::int64_t score(const PodInfo&, const NodeInfo&, const PluginState*) const override;

 private:
  const GpuArgs args_;
};

}  // namespace coracle::scheduler
