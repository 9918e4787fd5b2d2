#include "nodelifecycle/zones.hpp"

#include <algorithm>
#include <string>

#include "api/object.hpp"
#include "controllers/pods.hpp"

namespace coracle::controllers {
namespace {

constexpr Duration kEvery = std::chrono::seconds(10);         // --node-eviction-rate 0.1
constexpr Duration kEverySlowly = std::chrono::seconds(100);  // --secondary-node-eviction-rate 0.01
constexpr Duration kStopped = std::chrono::seconds(20);       // look whether the zone has recovered
constexpr int kUnhealthyPercent = 55;                         // --unhealthy-zone-threshold
constexpr int kLargeZone = 50;                                // --large-cluster-size-threshold

// One that has not said anything yet is not down.
bool is_down(const json::value& node) {
  const json::value* ready = condition(node, "Ready");
  return ready != nullptr && get_string(*ready, "status") != "True";
}

std::string zone_of(const json::value& node) {
  return std::string(api::label_of(node, "topology.kubernetes.io/region")) + "/" +
         std::string(api::label_of(node, "topology.kubernetes.io/zone"));
}

// When the node was marked; nothing: it is not.
std::optional<WallTime> marked_at(const json::value& node) {
  for (const json::value& taint : get_array(node, "spec.taints")) {
    const auto key = get_string(taint, "key");
    if (get_string(taint, "effect") != "NoExecute" ||
        (key != "node.kubernetes.io/unreachable" && key != "node.kubernetes.io/not-ready")) {
      continue;
    }
    const auto time = parse_time(get_string(taint, "timeAdded"));
    return time.ok() ? *time : WallTime();
  }
  return std::nullopt;
}

struct ZoneCounts {
  int nodes = 0, down = 0;
  int before = 0;                // that are down, not marked, and come first
  std::optional<WallTime> last;  // when one was marked
  bool anybody_up = false;       // in the whole cluster
};

ZoneCounts count(const World& world, const json::value& node) {
  ZoneCounts counts;
  const std::string zone = zone_of(node);
  for (const auto& [name, other] : world.of(gvr::kNodes).objects()) {
    const bool down = is_down(*other);
    counts.anybody_up = counts.anybody_up || !down;
    if (zone_of(*other) != zone) continue;
    ++counts.nodes;
    if (!down) continue;
    ++counts.down;
    const auto marked = marked_at(*other);
    if (marked) counts.last = std::max(counts.last.value_or(*marked), *marked);
    if (!marked && name < api::name_of(node)) ++counts.before;
  }
  return counts;
}

}  // namespace

EvictionGate eviction_gate(const World& world, const json::value& node, WallTime now) {
  using Rule = EvictionGate::Rule;
  const ZoneCounts zone = count(world, node);
  if (!zone.anybody_up) return {Rule::kUnmark, kStopped};
  if (marked_at(node)) return {Rule::kMark, {}};
  const bool all_down = zone.down == zone.nodes;
  const bool most_down =
      !all_down && zone.down > 2 && zone.down * 100 >= kUnhealthyPercent * zone.nodes;
  if (most_down && zone.nodes <= kLargeZone) return {Rule::kWait, kStopped};
  const Duration every = most_down ? kEverySlowly : kEvery;
  Duration wait = every * zone.before;
  if (zone.last) wait += std::max(Duration(0), *zone.last + every - now);
  if (wait <= Duration(0)) return {Rule::kMark, {}};
  return {Rule::kWait, wait};
}

}  // namespace coracle::controllers
