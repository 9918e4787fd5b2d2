#include "plugins/gpu_dot_product.hpp"

namespace coracle::scheduler {

std::int64_t GpuDotProduct::score(const PodInfo& pod, const NodeInfo& node,
                                  const PluginState*) const {
  const auto cpus = static_cast<double>(args_.largest_cpu_milli);
  const double gpus = args_.largest_devices * kDeviceMilli;
  const auto cpu_free = static_cast<double>(node.cpu_free());
  const auto cpu_asked = static_cast<double>(pod.scoring_requests.cpu_milli);
  const int gpu_asked = pod.gpu == nullptr ? 0 : pod.gpu->total();
  const double product =
      cpu_free / cpus * (cpu_asked / cpus) + node.gpus().free_total() / gpus * (gpu_asked / gpus);
  return static_cast<std::int64_t>(kScoreMax * (1 - product / 2));
}

}  // namespace coracle::scheduler
