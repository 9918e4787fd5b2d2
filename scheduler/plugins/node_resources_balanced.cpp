#include "plugins/node_resources_balanced.hpp"

#include <algorithm>
#include <cmath>

namespace coracle::scheduler {

// Who requests nothing shifts no balance.
Verdict NodeResourcesBalancedAllocation::pre_score(const PodInfo& pod, const Snapshot&,
                                                   const std::vector<std::uint32_t>&,
                                                   StatePtr*) const {
  const bool nothing = std::all_of(resources_.begin(), resources_.end(), [&](const auto& resource) {
    return pod.requests.amount(resource.name) == 0;
  });
  return nothing ? Verdict::skip() : Verdict::yes();
}

// The standard deviation of the shares; what the node has nothing of does not count.
std::int64_t NodeResourcesBalancedAllocation::score(const PodInfo& pod, const NodeInfo& node,
                                                    const PluginState*) const {
  std::vector<double> shares;
  double sum = 0;
  for (const ResourceWeight& resource : resources_) {
    const std::int64_t has = node.facts().allocatable.amount(resource.name);
    const std::int64_t asked = pod.requests.amount(resource.name);
    if (has == 0 || (is_extended(resource.name) && asked == 0)) continue;
    const auto taken = static_cast<double>(asked + node.used().amount(resource.name));
    shares.push_back(std::min(1.0, taken / static_cast<double>(has)));
    sum += shares.back();
  }
  double deviation = 0;
  if (shares.size() == 2) {
    deviation = std::fabs((shares[0] - shares[1]) / 2);
  } else if (shares.size() > 2) {
    const double mean = sum / static_cast<double>(shares.size());
    double squares = 0;
    for (const double share : shares) squares += (share - mean) * (share - mean);
    deviation = std::sqrt(squares / static_cast<double>(shares.size()));
  }
  return static_cast<std::int64_t>((1 - deviation) * static_cast<double>(kScoreMax));
}

}  // namespace coracle::scheduler
