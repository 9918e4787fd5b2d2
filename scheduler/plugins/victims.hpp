// Victims: who would have to leave a node for a pod. Pure.
#pragma once

#include "framework/post_filter.hpp"

namespace coracle::scheduler {

// Yes: it fits when the victims in `out` have left, and with none of them less.
Verdict choose_victims(const PostFilterInput& in, const NodeInfo& node, Candidate& out);

// Splits pods, the order kept, by whether a budget would be broken if they and those before them
// left.
struct ByBudget {
  std::vector<PodPtr> violating, others;
};
ByBudget split_by_budget(const std::vector<PodPtr>& pods,
                         const std::map<std::string, Budget>& budgets);

}  // namespace coracle::scheduler
