#include "cache/checker.hpp"

namespace coracle::scheduler {
namespace {

void check_sums(const NodeInfo& node, std::vector<std::string>& found) {
  NodeInfo fresh(node.name());
  for (const PodPtr& pod : node.pods()) fresh.add(pod);
  // Zero amounts of extended resources may or may not be kept: compare by name.
  Resources difference = fresh.used();
  difference.subtract(node.used());
  if (difference != Resources{}) found.push_back("node " + node.name() + ": used is not the sum");
  difference = fresh.scoring_used();
  difference.subtract(node.scoring_used());
  if (difference != Resources{}) {
    found.push_back("node " + node.name() + ": scoring_used is not the sum");
  }
}

void check_counts(const Snapshot& world, std::vector<std::string>& found) {
  PodCounts fresh;
  for (const NodeInfo& node : world.nodes) fresh.add_node(world, node);
  if (!world.counts().says_the_same(world, fresh)) {
    found.push_back("the cluster's counts of pods are off");
  }
}

}  // namespace

std::vector<std::string> SchedulerCacheChecker::violations(const Cache& cache) {
  std::vector<std::string> found;
  size_t pods = 0, assumed = 0;
  Snapshot claims;
  const auto look_at = [&](const NodeInfo& node) {
    check_sums(node, found);
    pods += node.pods().size();
    for (const PodPtr& pod : node.pods()) {
      const auto at = cache.pods_.find(pod->key);
      if (at == cache.pods_.end() || at->second.pod != pod) {
        found.push_back("pod " + pod->key + " on " + node.name() + " is not the one on record");
      } else {
        assumed += at->second.assumed;
        if (!at->second.assumed) claims.count_claims(*pod, 1);
      }
      if (pod->node_name != node.name()) {
        found.push_back("pod " + pod->key + " names " + pod->node_name + ", not " + node.name());
      }
    }
  };
  for (const NodeInfo& node : cache.snapshot_.nodes) {
    look_at(node);
    if (cache.snapshot_.nodes.find(node.name()) != &node) {
      found.push_back("node " + node.name() + " is not where the index says");
    }
  }
  for (const auto& [name, node] : cache.unknown_) look_at(node);
  if (pods != cache.pods_.size()) found.push_back("a pod counts on no node, or on two");
  if (assumed != cache.assumed_) found.push_back("the number of assumed pods is off");
  check_counts(cache.snapshot_, found);
  if (claims.claim_pods != cache.snapshot_.claim_pods) {
    found.push_back("the pods that use claims are not those that are placed");
  }
  if (assumed == 0 && !cache.snapshot_.reservations.empty()) {
    found.push_back("something is reserved for nobody");
  }
  return found;
}

}  // namespace coracle::scheduler
