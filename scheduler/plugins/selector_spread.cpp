#include "plugins/selector_spread.hpp"

#include <algorithm>

#include "plugins/spread_counts.hpp"

namespace coracle::scheduler {
namespace {

constexpr const char* kZoneKey = "topology.kubernetes.io/zone";

struct Counts final : PluginState {
  PodCounts::CounterPtr by_node;
  PodCounts::KeyPtr zone;
  std::vector<std::int64_t> zones;  // of the nodes that fit
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
  const api::LabelSelector selector = world.workloads.of(pod);
  if (pod.own_spread || selector.is_nothing()) return Verdict::skip();
  counts->by_node = like_pods(world, pod.ns, selector, "");
  counts->zone = world.counts().key(world.nodes, kZoneKey);
  counts->zones.resize(counts->zone->domains_end());
  for (const std::uint32_t index : fitting) {
    const NodeInfo& node = world.nodes[index];
    const std::int64_t here = counts->by_node->at(node);
    counts->most_on_node = std::max(counts->most_on_node, here);
    const PodCounts::Domain zone = counts->zone->of(node);
    if (zone == PodCounts::kNowhere) continue;
    counts->zones[zone] += here;
    counts->most_in_zone = std::max(counts->most_in_zone, counts->zones[zone]);
  }
  *state = std::move(counts);
  return Verdict::yes();
}

std::int64_t SelectorSpread::score(const PodInfo&, const NodeInfo& node,
                                   const PluginState* state) const {
  const auto& counts = static_cast<const Counts&>(*state);
  const std::int64_t by_node = fewness(counts.by_node->at(node), counts.most_on_node);
  const PodCounts::Domain zone = counts.zone->of(node);
  if (zone == PodCounts::kNowhere) return by_node;
  return (by_node + 2 * fewness(counts.zones[zone], counts.most_in_zone)) / 3;
}

}  // namespace coracle::scheduler
