#include "plugins/node_resources_fit.hpp"

#include <algorithm>

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

bool is_extended(const std::string& resource) {
  return resource != "cpu" && resource != "memory" && resource != "ephemeral-storage";
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
  std::int64_t sum = 0, weights = 0;
  for (const auto& [resource, weight] : strategy_.resources) {
    const std::int64_t has = node.facts().allocatable.amount(resource);
    if (has == 0) continue;
    // Extended resources are left to the pods that ask for them.
    if (is_extended(resource) && pod.requests.amount(resource) == 0) continue;
    const std::int64_t taken = std::min(amount_with(pod, node, resource), has);
    // Over-full nodes get the least of either strategy.
    const bool over = amount_with(pod, node, resource) > has;
    const bool most = strategy_.type == ScoringStrategy::Type::kMostAllocated;
    const std::int64_t share = over && !most ? 0 : (most ? taken : has - taken) * kScoreMax / has;
    sum += share * weight;
    weights += weight;
  }
  return weights == 0 ? 0 : sum / weights;
}

bool NodeResourcesFit::helps(const PodInfo& pod, const Change& change) const {
  if (change.node != nullptr) return filter(pod, *change.node, nullptr).is_yes();
  return true;  // a pod that left freed at least its place
}

}  // namespace coracle::scheduler
