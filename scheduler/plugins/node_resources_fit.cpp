#include "plugins/node_resources_fit.hpp"

#include <algorithm>
#include <cmath>

#include "framework/resource_names.hpp"

namespace coracle::scheduler {
namespace {

struct Shortage {
  std::vector<std::string> reasons;
  bool hopeless = false;  // more than the node has in all

  void weigh(const char* name, std::int64_t wanted, std::int64_t has, std::int64_t used) {
    if (wanted <= 0 || wanted <= has - used) return;
    reasons.push_back(std::string("Insufficient ") + name);
    hopeless = hopeless || wanted > has;
  }
};

using Shape = std::vector<std::pair<std::int64_t, std::int64_t>>;

// The curve at a utilization: straight between the points, level outside them.
std::int64_t on_curve(const Shape& shape, std::int64_t at) {
  for (size_t i = 0; i < shape.size(); ++i) {
    if (at > shape[i].first) continue;
    if (i == 0) return shape[0].second;
    const auto& [x0, y0] = shape[i - 1];
    const auto& [x1, y1] = shape[i];
    return y0 + (y1 - y0) * (at - x0) / (x1 - x0);
  }
  return shape.back().second;
}

// 0..kScoreMax of one resource; over-full nodes get the least, or what the curve says of full ones.
std::int64_t share_score(const ScoringStrategy& strategy, std::int64_t taken, std::int64_t has) {
  // Of a node of exabytes too.
  const auto percent = [has](std::int64_t part) {
    return static_cast<std::int64_t>(static_cast<__int128>(part) * kScoreMax / has);
  };
  switch (strategy.type) {
    case ScoringStrategy::Type::kLeastAllocated:
      return taken > has ? 0 : percent(has - taken);
    case ScoringStrategy::Type::kMostAllocated:
      return percent(std::min(taken, has));
    case ScoringStrategy::Type::kRequestedToCapacityRatio:
      return on_curve(strategy.shape, taken > has ? 100 : percent(taken));
  }
  return 0;
}

}  // namespace

Verdict NodeResourcesFit::filter(const PodInfo& pod, const NodeInfo& node,
                                 const PluginState*) const {
  const NodeFacts& facts = node.facts();
  const Resources &wanted = pod.requests, &has = facts.allocatable, &used = node.used();
  Shortage shortage;
  if (static_cast<std::int64_t>(node.pods().size()) + 1 > facts.pods_max) {
    shortage.reasons.emplace_back("Too many pods");
  }
  shortage.weigh("cpu", wanted.cpu_milli, has.cpu_milli, used.cpu_milli);
  shortage.weigh("memory", wanted.memory, has.memory, used.memory);
  shortage.weigh("ephemeral-storage", wanted.ephemeral_storage, has.ephemeral_storage,
                 used.ephemeral_storage);
  for (const auto& [name, amount] : wanted.scalars) {
    if (ignores(name)) continue;
    shortage.weigh(name.c_str(), amount, has.scalar(name), used.scalar(name));
  }
  if (shortage.reasons.empty()) return Verdict::yes();
  return Verdict::no(shortage.hopeless ? Verdict::Kind::kNever : Verdict::Kind::kNotNow,
                     std::move(shortage.reasons));
}

std::int64_t amount_with(const PodInfo& pod, const NodeInfo& node, const std::string& resource) {
  return pod.scoring_requests.amount(resource) + node.scoring_used().amount(resource);
}

std::int64_t NodeResourcesFit::score(const PodInfo& pod, const NodeInfo& node,
                                     const PluginState*) const {
  const bool by_curve = args_.strategy.type == ScoringStrategy::Type::kRequestedToCapacityRatio;
  std::int64_t sum = 0, weights = 0;
  for (const auto& [resource, weight] : args_.strategy.resources) {
    const std::int64_t has = node.facts().allocatable.amount(resource);
    if (has == 0) continue;
    // Extended resources are left to the pods that ask for them.
    if (is_extended(resource) && pod.requests.amount(resource) == 0) continue;
    const std::int64_t share = share_score(args_.strategy, amount_with(pod, node, resource), has);
    if (by_curve && share == 0) continue;  // as upstream: what scores nothing does not count
    sum += share * weight;
    weights += weight;
  }
  if (weights == 0) return 0;
  return by_curve ? std::lround(static_cast<double>(sum) / static_cast<double>(weights))
                  : sum / weights;
}

// Only what vendors name can be ignored: hugepages-2Mi cannot.
bool NodeResourcesFit::ignores(const std::string& resource) const {
  const bool named = args_.ignored.contains(resource) ||
                     args_.ignored_groups.contains(resource.substr(0, resource.find('/')));
  return named && is_vendor_resource(resource);
}

// A node that grew must have grown in what the pod wants, and do.
bool NodeResourcesFit::helps(const PodInfo& pod, const Change& change) const {
  if (change.node == nullptr) return true;  // a pod that left freed at least its place
  if (!filter(pod, *change.node, nullptr).is_yes()) return false;
  if (change.node_before == nullptr) return true;
  const NodeFacts &now = change.node->facts(), &before = *change.node_before;
  const auto more = [&](const std::string& resource, std::int64_t wanted) {
    return wanted > 0 && now.allocatable.amount(resource) > before.allocatable.amount(resource);
  };
  const Resources& wanted = pod.requests;
  return now.pods_max > before.pods_max || more("cpu", wanted.cpu_milli) ||
         more("memory", wanted.memory) || more("ephemeral-storage", wanted.ephemeral_storage) ||
         std::any_of(wanted.scalars.begin(), wanted.scalars.end(),
                     [&](const auto& scalar) { return more(scalar.first, scalar.second); });
}

}  // namespace coracle::scheduler
