#include "plugins/default_preemption.hpp"

#include <algorithm>

#include "base/strings.hpp"
#include "framework/fit_error.hpp"
#include "plugins/victims.hpp"

namespace coracle::scheduler {
namespace {

// Empty: it may.
std::string why_not_eligible(const PostFilterInput& in) {
  if (!in.pod.preempts) return "not eligible due to preemptionPolicy=Never.";
  const std::string nominated = in.world.nominations.node_of(in.pod.uid);
  const NodeInfo* node = nominated.empty() ? nullptr : in.world.nodes.find(nominated);
  if (node == nullptr) return {};
  // Where it cannot run whoever leaves, there is nothing to wait for.
  const bool hopes = std::any_of(in.noes.begin(), in.noes.end(), [&](const auto& no) {
    return &in.world.nodes[no.first] == node && no.second->kind() != Verdict::Kind::kNever;
  });
  if (!hopes) return {};
  const auto& pods = node->pods();
  const bool waits = std::any_of(pods.begin(), pods.end(), [&](const PodPtr& other) {
    return other->priority < in.pod.priority && other->preempted;
  });
  return waits ? "not eligible due to a terminating pod on the nominated node." : "";
}

PostFiltered none(const std::string& message, bool clear) {
  return {Verdict::not_now("preemption: " + message), {}, clear};
}

}  // namespace

size_t DefaultPreemption::enough(size_t nodes) const {
  const auto share = static_cast<std::int64_t>(nodes) * args_.min_candidates_percentage / 100;
  const std::int64_t wanted = std::max(share, args_.min_candidates_absolute);
  return std::min(nodes, static_cast<size_t>(wanted));
}

PostFiltered DefaultPreemption::post_filter(const PostFilterInput& in) const {
  const std::string not_eligible = why_not_eligible(in);
  if (!not_eligible.empty()) return none(not_eligible, false);
  std::vector<std::uint32_t> nodes;
  for (const auto& [index, verdict] : in.noes) {
    if (verdict->kind() == Verdict::Kind::kNotNow) nodes.push_back(index);
  }
  FitError error;
  error.nodes = static_cast<int>(in.world.nodes.size());
  Candidates kind, harsh;  // without and with broken budgets
  DryRuns runs(in);
  std::vector<std::string> failures;
  const size_t offset = nodes.empty() ? 0 : in.rng.below(nodes.size());
  for (size_t i = 0; i < nodes.size(); ++i) {
    const DryRun& run = runs.at(nodes[(offset + i) % nodes.size()]);
    if (run.verdict.kind() == Verdict::Kind::kBroken) {
      failures.push_back(run.verdict.reasons().front());
    }
    if (!run.verdict.is_yes()) {
      error.add(run.verdict, 1);
      continue;
    }
    (run.candidate->violations == 0 ? kind : harsh).push_back(run.candidate);
    if (!kind.empty() && kind.size() + harsh.size() >= enough(nodes.size())) break;
  }
  std::move(harsh.begin(), harsh.end(), std::back_inserter(kind));
  if (!kind.empty()) return {Verdict::yes(), std::move(kind), false};
  if (!failures.empty()) {
    PostFiltered failed = none(join(failures, ", "), false);
    failed.verdict = Verdict::no(Verdict::Kind::kBroken, failed.verdict.reasons());
    return failed;
  }
  const auto hopeless = static_cast<int>(in.world.nodes.size() - nodes.size());
  if (hopeless > 0) error.reasons["Preemption is not helpful for scheduling"] += hopeless;
  return none(error.text(), true);
}

size_t DefaultPreemption::pick(const Candidates& candidates) const {
  size_t best = 0;
  for (size_t i = 1; i < candidates.size(); ++i) {
    if (candidates[i]->harm.less_than(candidates[best]->harm)) best = i;
  }
  return best;
}

}  // namespace coracle::scheduler
