#include "plugins/node_resources_balanced.hpp"

#include <algorithm>
#include <cmath>

namespace coracle::scheduler {

// Who requests nothing shifts no balance.
Verdict NodeResourcesBalancedAllocation::pre_score(const PodInfo& pod, const Snapshot&,
                                                   const std::vector<std::uint32_t>&,
                                                   StatePtr*) const {
  const bool nothing = pod.requests.cpu_milli == 0 && pod.requests.memory == 0;
  return nothing ? Verdict::skip() : Verdict::yes();
}

// Half the distance of the two shares is their standard deviation.
std::int64_t NodeResourcesBalancedAllocation::score(const PodInfo& pod, const NodeInfo& node,
                                                    const PluginState*) const {
  const Resources& has = node.facts().allocatable;
  if (has.cpu_milli == 0 || has.memory == 0) return 0;
  const auto share = [](std::int64_t taken, std::int64_t all) {
    return std::min(1.0, static_cast<double>(taken) / static_cast<double>(all));
  };
  const double cpu = share(pod.requests.cpu_milli + node.used().cpu_milli, has.cpu_milli);
  const double memory = share(pod.requests.memory + node.used().memory, has.memory);
  return static_cast<std::int64_t>((1 - std::fabs(cpu - memory) / 2) *
                                   static_cast<double>(kScoreMax));
}

}  // namespace coracle::scheduler
