#include "plugins/gpu_clustering.hpp"

#include <algorithm>

namespace coracle::scheduler {
namespace {

constexpr std::int64_t kQuarter = kScoreMax / 4;

int rank(const GpuAsk& ask, const GpuUse& gpus) {
  const int kind = GpuUse::kind_of(ask);
  const auto& kinds = gpus.kinds();
  if (kinds.empty()) return 1;
  const bool there = std::any_of(kinds.begin(), kinds.end(),
                                 [kind](const auto& one) { return one.first == kind; });
  if (!there) return 0;
  return kinds.size() == 1 ? 3 : 2;
}

}  // namespace

std::int64_t GpuClustering::score(const PodInfo& pod, const NodeInfo& node,
                                  const PluginState*) const {
  if (pod.gpu == nullptr) return 0;
  const std::int64_t most = args_.largest_devices * kDeviceMilli;
  const std::int64_t used = std::max<std::int64_t>(0, most - node.gpus().free_total());
  return kQuarter * rank(*pod.gpu, node.gpus()) + kQuarter * used / most;
}

}  // namespace coracle::scheduler
