#include "plugins/gpu_best_fit.hpp"

namespace coracle::scheduler {

std::int64_t GpuBestFit::score(const PodInfo& pod, const NodeInfo& node, const PluginState*) const {
  const std::int64_t cpu_left = node.cpu_free() - pod.scoring_requests.cpu_milli;
  const int gpu_left = node.gpus().free_total() - (pod.gpu == nullptr ? 0 : pod.gpu->total());
  const double left =
      static_cast<double>(cpu_left) / static_cast<double>(args_.largest_cpu_milli) * 0.5 +
      static_cast<double>(gpu_left) / (args_.largest_devices * kDeviceMilli) * 0.5;
  return static_cast<std::int64_t>((1.0 - left) * kScoreMax);
}

void GpuBestFit::normalize(const PluginState*, std::vector<std::int64_t>& scores) const {
  stretch_scores(scores);
}

}  // namespace coracle::scheduler
