#include "plugins/selector_spread.hpp"

#include <algorithm>

#include "plugins/spread_counts.hpp"

namespace coracle::scheduler {
namespace {

constexpr const char* kZoneKey = "topology.kubernetes.io/zone";

struct Counts final : PluginState {
  api::LabelSelector selector;
  DomainCounts zones;
  std::int64_t most_on_node = 0, most_in_zone = 0;
};

std::int64_t fewness(std::int64_t count, std::int64_t most) {
  return most == 0 ? kScoreMax : kScoreMax * (most - count) / most;
}

}  // namespace

Verdict SelectorSpread::pre_score(const PodInfo& pod, const Snapshot& world,
                                  const std::vector<std::uint32_t>& fitting,
                                  StatePtr* state) const {
  auto counts = std::make_unique<Counts>();
  counts->selector = world.workloads.of(pod);
  if (pod.own_spread || counts->selector.is_nothing()) return Verdict::skip();
  for (const std::uint32_t index : fitting) {
    const NodeInfo& node = world.nodes[index];
    const std::int64_t here = like_pods(node, pod.ns, counts->selector);
    counts->most_on_node = std::max(counts->most_on_node, here);
    const auto zone = node.facts().topology(kZoneKey);
    if (zone) counts->zones[std::string(*zone)] += here;
  }
  for (const auto& [zone, count] : counts->zones) {
    counts->most_in_zone = std::max(counts->most_in_zone, count);
  }
  *state = std::move(counts);
  return Verdict::yes();
}

std::int64_t SelectorSpread::score(const PodInfo& pod, const NodeInfo& node,
                                   const PluginState* state) const {
  const auto& counts = static_cast<const Counts&>(*state);
  const std::int64_t by_node =
      fewness(like_pods(node, pod.ns, counts.selector), counts.most_on_node);
  const auto zone = node.facts().topology(kZoneKey);
  if (!zone) return by_node;
  const auto in_zone = counts.zones.find(*zone);
  const std::int64_t by_zone =
      fewness(in_zone == counts.zones.end() ? 0 : in_zone->second, counts.most_in_zone);
  return (by_node + 2 * by_zone) / 3;
}

}  // namespace coracle::scheduler
