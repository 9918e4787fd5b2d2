#include "plugins/gpu_packing.hpp"

#include <algorithm>

namespace coracle::scheduler {

std::int64_t GpuPacking::score(const PodInfo& pod, const NodeInfo& node, const PluginState*) const {
  if (pod.gpu == nullptr) return 0;
  const GpuUse& gpus = node.gpus();
  const std::int64_t whole = gpus.free_whole();
  if (whole == gpus.devices()) return std::max(kScoreMax / 3 - whole, whole);
  std::int64_t fresh = 0, left_percent = 0;
  for (const std::uint8_t device : gpus.tightest(*pod.gpu)) {
    const int free = gpus.free()[device];
    if (free == kDeviceMilli) ++fresh;
    left_percent += free * 100 / kDeviceMilli;
  }
  if (fresh > 0) return std::max(kScoreMax / 2 - fresh, kScoreMax / 3);
  return std::max(kScoreMax - left_percent / 10, kScoreMax / 2);
}

}  // namespace coracle::scheduler
