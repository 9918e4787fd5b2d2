#include "plugins/gpu_fragmentation_gradient.hpp"

#include "plugins/gpu_fragmentation.hpp"

namespace coracle::scheduler {

Verdict GpuFragmentation::pre_score(const PodInfo&, const Snapshot&,
                                    const std::vector<std::uint32_t>&, StatePtr*) const {
  if (!args_.typical.empty()) return Verdict::yes();
  return Verdict::broken(failed_precondition("GpuShareArgs has no typicalPods"));
}

std::int64_t GpuFragmentation::score(const PodInfo& pod, const NodeInfo& node,
                                     const PluginState*) const {
  return best_step(pod, node, args_.typical).score;
}

}  // namespace coracle::scheduler
