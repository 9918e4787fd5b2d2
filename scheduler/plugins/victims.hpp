// Victims: who would have to leave a node for a pod. Pure.
#pragma once

#include "framework/post_filter.hpp"

namespace coracle::scheduler {

// Yes: it fits when the candidate's victims have left, and with none of them less.
DryRun choose_victims(const PostFilterInput& in, const NodeInfo& node);

// choose_victims of one pod, node by node. What it found out about a node serves the next pods of
// the same shape and priority until the node changes, as far as it depends on nothing else.
class DryRuns {
 public:
  explicit DryRuns(const PostFilterInput& in);
  // By index into world.nodes. Good until the next call.
  const DryRun& at(std::uint32_t index);

 private:
  const PostFilterInput& in_;
  SharedWork::Preempted* kept_ = nullptr;  // null: nothing is kept
  DryRun last_;
};

// Splits pods, the order kept, by whether a budget would be broken if they and those before them
// left.
struct ByBudget {
  std::vector<PodPtr> violating, others;
};
ByBudget split_by_budget(const std::vector<PodPtr>& pods,
                         const std::map<std::string, Budget>& budgets);

}  // namespace coracle::scheduler
