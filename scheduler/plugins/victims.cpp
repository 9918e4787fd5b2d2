#include "plugins/victims.hpp"

#include <algorithm>

namespace coracle::scheduler {
namespace {

// Who stays rather: the higher priority, then the longer run.
bool more_important(const PodPtr& a, const PodPtr& b) {
  if (a->priority != b->priority) return a->priority > b->priority;
  return a->started_before(*b);
}

}  // namespace

ByBudget split_by_budget(const std::vector<PodPtr>& pods,
                         const std::map<std::string, Budget>& budgets) {
  std::map<const Budget*, std::int64_t> left;
  ByBudget split;
  for (const PodPtr& pod : pods) {
    bool violates = false;
    for (const auto& [key, budget] : budgets) {
      if (pod->labels.empty() || budget.ns != pod->ns || budget.selector.is_nothing() ||
          budget.selector.requirements().empty() || !budget.selector.matches(pod->labels) ||
          budget.leaving.contains(pod->name)) {
        continue;
      }
      const auto allowed = left.emplace(&budget, budget.allowed).first;
      violates = --allowed->second < 0 || violates;
    }
    (violates ? split.violating : split.others).push_back(pod);
  }
  return split;
}

Verdict choose_victims(const PostFilterInput& in, const NodeInfo& node, Candidate& out) {
  std::vector<PodPtr> less_important;
  for (const PodPtr& pod : node.pods()) {
    if (pod->priority < in.pod.priority) less_important.push_back(pod);
  }
  if (less_important.empty()) return Verdict::never("No preemption victims found for incoming pod");
  NodeInfo left = node;
  std::vector<PodPtr> gone = less_important;
  for (const PodPtr& pod : less_important) in.filters.remove_pod(pod, left);
  Verdict verdict = in.filters.filter(left);
  if (verdict.is_yes()) {
    gone.clear();
    std::stable_sort(less_important.begin(), less_important.end(), more_important);
    const ByBudget split = split_by_budget(less_important, in.world.budgets);
    const auto spare = [&](const PodPtr& pod) {
      in.filters.add_pod(pod, left);
      if (in.filters.filter(left).is_yes()) return true;
      in.filters.remove_pod(pod, left);
      gone.push_back(pod);
      return false;
    };
    for (const PodPtr& pod : split.violating) out.violations += spare(pod) ? 0 : 1;
    for (const PodPtr& pod : split.others) spare(pod);
    std::stable_sort(gone.begin(), gone.end(), more_important);
    out.node = node.name();
    out.victims = gone;
  }
  for (const PodPtr& pod : gone) in.filters.add_pod(pod, left);  // as it was
  if (verdict.is_yes() && gone.empty()) {
    return Verdict::broken(
        internal_error("expected at least one victim pod on node \"" + node.name() + "\""));
  }
  return verdict;
}

}  // namespace coracle::scheduler
