#include "metrics_core/usage_store.hpp"

namespace coracle::metrics {
namespace {

const Point* find_point(const std::map<std::string, Point>& points, const std::string& name) {
  const auto found = points.find(name);
  return found == points.end() ? nullptr : &found->second;
}

// Which older point goes with the new one: the last, unless that is the same measurement; then the
// one before it.
const Point* partner(const Point& fresh, const Point* last, const Point* before) {
  if (last == nullptr) return nullptr;
  if (fresh.at > last->at) return last;
  return before != nullptr && before->at < fresh.at ? before : nullptr;
}

std::optional<Usage> between(const Point& before, const Point& last) {
  const Duration window = last.at - before.at;
  if (window <= Duration(0) || last.started < before.started || last.cpu_nanos < before.cpu_nanos) {
    return std::nullopt;  // it began anew
  }
  const double used = static_cast<double>(last.cpu_nanos - before.cpu_nanos);
  return Usage{last.at, window,
               static_cast<std::int64_t>(used * 1e9 / static_cast<double>(window.count())),
               last.memory_bytes};
}

}  // namespace

void UsageStore::store(const std::map<std::string, NodeScrape>& round) {
  Points nodes, nodes_before;
  Pods pods, pods_before;
  static const ContainerPoints kNone;
  const auto points_of = [](const Pods& all, const std::string& pod) -> const ContainerPoints& {
    const auto found = all.find(pod);
    return found == all.end() ? kNone : found->second;
  };
  for (const auto& [name, scrape] : round) {
    if (scrape.node) {
      const Point* old =
          partner(*scrape.node, find_point(nodes_, name), find_point(nodes_before_, name));
      if (old != nullptr) nodes_before[name] = *old;
      nodes[name] = *scrape.node;
    }
    for (const auto& [pod, containers] : scrape.pods) {
      for (const auto& [container, fresh] : containers) {
        const Duration age = fresh.at - fresh.started;
        const Point* last = find_point(points_of(pods_, pod), container);
        if (age >= kFreshMin && age < resolution_) {
          Point start = fresh;
          start.at = fresh.started;
          start.cpu_nanos = 0;
          pods_before[pod][container] = start;
        } else if (last != nullptr && fresh.started < last->at) {  // else it was started again
          const Point* old =
              partner(fresh, last, find_point(points_of(pods_before_, pod), container));
          if (old != nullptr) pods_before[pod][container] = *old;
        }
      }
      pods[pod] = containers;
    }
  }
  nodes_ = std::move(nodes);
  nodes_before_ = std::move(nodes_before);
  pods_ = std::move(pods);
  pods_before_ = std::move(pods_before);
}

std::optional<Usage> UsageStore::of_node(const std::string& name) const {
  const Point *last = find_point(nodes_, name), *before = find_point(nodes_before_, name);
  if (last == nullptr || before == nullptr) return std::nullopt;
  return between(*before, *last);
}

std::optional<PodUsage> UsageStore::of_pod(const std::string& key) const {
  const auto last = pods_.find(key), before = pods_before_.find(key);
  if (last == pods_.end() || before == pods_before_.end()) return std::nullopt;
  PodUsage pod;
  bool first = true;
  for (const auto& [container, point] : last->second) {
    const Point* old = find_point(before->second, container);
    if (old == nullptr) return std::nullopt;  // all of them, or nothing
    const auto usage = between(*old, point);
    if (!usage) continue;
    if (first || usage->at < pod.at) {
      pod.at = usage->at;
      pod.window = usage->window;
      first = false;
    }
    pod.containers[container] = *usage;
  }
  return pod;
}

}  // namespace coracle::metrics
