// GpuDotProduct: the less what is free on the node points the way of what the pod asks, the better:
// 1 - (free CPU * asked CPU + free GPU * asked GPU) / 2, each as a part of the largest node's.
// After Grandl et al., "Multi-resource packing for cluster schedulers", SIGCOMM'14, as the paper of
// FGD compares it.
#pragma once

#include "framework/plugin.hpp"
#include "plugins/plugin_args.hpp"

namespace coracle::scheduler {

class GpuDotProduct final : public Plugin {
 public:
  explicit GpuDotProduct(GpuArgs args = {}) : args_(std::move(args)) {}
  std::string_view name() const override { return "GpuDotProduct"; }
  std::int64_t score(const PodInfo&, const NodeInfo&, const PluginState*) const override;

 private:
  const GpuArgs args_;
};

}  // namespace coracle::scheduler
