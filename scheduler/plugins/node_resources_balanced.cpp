#include "plugins/node_resources_balanced.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

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
  const auto share_of = [&](const std::string& resource) -> std::optional<double> {
    const std::int64_t has = node.facts().allocatable.amount(resource);
    const std::int64_t asked = pod.requests.amount(resource);
    if (has == 0 || (asked == 0 && is_extended(resource))) return std::nullopt;
    const auto taken = static_cast<double>(asked + node.used().amount(resource));
    return std::min(1.0, taken / static_cast<double>(has));
  };
  double sum = 0, count = 0, least = 1, most = 0;
  for (const ResourceWeight& resource : resources_) {
    const auto share = share_of(resource.name);
    if (!share) continue;
    sum += *share;
    count += 1;
    least = std::min(least, *share);
    most = std::max(most, *share);
  }
  if (count < 2) return kScoreMax;
  double squares = 0;
  for (const ResourceWeight& resource : resources_) {
    const auto share = share_of(resource.name);
    if (share) squares += (*share - sum / count) * (*share - sum / count);
  }
  // Of two it is half their distance, which needs no rounding.
  const double deviation = count == 2 ? (most - least) / 2 : std::sqrt(squares / count);
  return static_cast<std::int64_t>((1 - deviation) * static_cast<double>(kScoreMax));
}

}  // namespace coracle::scheduler
