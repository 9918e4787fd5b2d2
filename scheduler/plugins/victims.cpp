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

DryRun choose_victims(const PostFilterInput& in, const NodeInfo& node) {
  std::vector<PodPtr> less_important;
  for (const PodPtr& pod : node.pods()) {
    if (pod->priority < in.pod.priority) less_important.push_back(pod);
  }
  if (less_important.empty()) {
    return {Verdict::never("No preemption victims found for incoming pod")};
  }
  NodeInfo left = node;
  std::vector<PodPtr> gone = less_important;
  for (const PodPtr& pod : less_important) in.filters.remove_pod(pod, left);
  DryRun run{in.filters.filter(left)};
  std::int64_t violations = 0;
  if (run.verdict.is_yes()) {
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
    for (const PodPtr& pod : split.violating) violations += spare(pod) ? 0 : 1;
    for (const PodPtr& pod : split.others) spare(pod);
    std::stable_sort(gone.begin(), gone.end(), more_important);
  }
  for (const PodPtr& pod : gone) in.filters.add_pod(pod, left);  // as it was
  if (!run.verdict.is_yes()) return run;
  if (gone.empty()) {
    return {Verdict::broken(
        internal_error("expected at least one victim pod on node \"" + node.name() + "\""))};
  }
  run.candidate = std::make_shared<const Candidate>(node.name(), std::move(gone), violations);
  return run;
}

// Of a budget the world keeps no stamp, so with budgets nothing is kept.
DryRuns::DryRuns(const PostFilterInput& in) : in_(in) {
  if (!in.world.budgets.empty()) return;
  if (const auto plugins = in.filters.if_all_see_one_node()) {
    kept_ =
        &in.world.shared().preempted(in.pod, in.pod.priority, *plugins, in.world.nodes.slots_end());
  }
}

const DryRun& DryRuns::at(std::uint32_t index) {
  const NodeInfo& node = in_.world.nodes[index];
  const Nominations& nominations = in_.world.nominations;
  if (kept_ == nullptr || (!nominations.empty() && !nominations.on(node.name()).empty())) {
    return last_ = choose_victims(in_, node);
  }
  const std::uint64_t stamp = in_.world.nodes.stamp(node.slot());
  if (kept_->stamps[node.slot()] != stamp) {
    kept_->runs[node.slot()] = choose_victims(in_, node);
    kept_->stamps[node.slot()] = stamp;
  }
  return kept_->runs[node.slot()];
}

}  // namespace coracle::scheduler
