// GpuFragmentation: the node whose fragmentation (gpu_fragmentation.hpp) the pod makes grow least:
// fragmentation gradient descent, FGD. The typical pods are an argument.
#pragma once

#include "framework/plugin.hpp"
#include "plugins/plugin_args.hpp"

namespace coracle::scheduler {

class GpuFragmentation final : public Plugin {
 public:
  explicit GpuFragmentation(GpuArgs args = {}) : args_(std::move(args)) {}
  std::string_view name() const override { return "GpuFragmentation"; }
  Verdict pre_score(const PodInfo&, const Snapshot&, const std::vector<std::uint32_t>& fitting,
                    StatePtr*) const override;
  std::int64_t score(const PodInfo&, const NodeInfo&, const PluginState*) const override;

 private:
  const GpuArgs args_;
};

}  // namespace coracle::scheduler
