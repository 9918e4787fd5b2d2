// GpuRandom: one of the nodes that fit, by chance (GpuArgs::seed and the pod's name). The baseline
// of the GPU policies.
#pragma once

#include "framework/plugin.hpp"
#include "plugins/plugin_args.hpp"

namespace coracle::scheduler {

class GpuRandom final : public Plugin {
 public:
  explicit GpuRandom(GpuArgs args = {}) : args_(std::move(args)) {}
  std::string_view name() const override { return "GpuRandom"; }
  Verdict pre_score(const PodInfo&, const Snapshot&, const std::vector<std::uint32_t>& fitting,
                    StatePtr*) const override;
  std::int64_t score(const PodInfo&, const NodeInfo&, const PluginState*) const override;

 private:
  const GpuArgs args_;
};

}  // namespace coracle::scheduler
