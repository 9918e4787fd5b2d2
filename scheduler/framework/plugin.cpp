#include "framework/plugin.hpp"

#include <algorithm>

namespace coracle::scheduler {

bool turned_by_node(const Plugin& plugin, const PodInfo& pod, const Change& change) {
  if (!plugin.filter(pod, *change.node, nullptr).is_yes()) return false;
  if (change.node_before == nullptr) return true;
  NodeInfo before(change.node->name());
  before.set_facts(change.node_before);
  return !plugin.filter(pod, before, nullptr).is_yes();
}

void scale_scores(std::vector<std::int64_t>& scores, bool reverse) {
  std::int64_t largest = 0;
  for (const std::int64_t score : scores) largest = std::max(largest, score);
  if (largest == 0) {
    if (reverse) std::fill(scores.begin(), scores.end(), kScoreMax);
    return;
  }
  for (std::int64_t& score : scores) {
    score = kScoreMax * score / largest;
    if (reverse) score = kScoreMax - score;
  }
}

void stretch_scores(std::vector<std::int64_t>& scores) {
  if (scores.empty()) return;
  const auto [low, high] = std::minmax_element(scores.begin(), scores.end());
  const std::int64_t least = *low, span = *high - *low;
  for (std::int64_t& score : scores) {
    score = span == 0 ? 0 : kScoreMax * (score - least) / span;
  }
}

}  // namespace coracle::scheduler
