// GpuBestFit: the less CPU and GPU the pod leaves free on the node, the better, each as a part of
// the largest node's, in equal shares; the best node becomes 100, the worst 0.
#pragma once

#include "framework/plugin.hpp"
#include "plugins/plugin_args.hpp"

namespace coracle::scheduler {

class GpuBestFit final : public Plugin {
 public:
  explicit GpuBestFit(GpuArgs args = {}) : args_(std::move(args)) {}
  std::string_view name() const override { return "GpuBestFit"; }
  std::int64_t score(const PodInfo&, const NodeInfo&, const PluginState*) const override;
  void normalize(const PluginState*, std::vector<std::int64_t>&) const override;

 private:
  const GpuArgs args_;
};

}  // namespace coracle::scheduler
