#include "plugins/default_preemption.hpp"

#include <algorithm>
#include <limits>

#include "base/strings.hpp"
#include "framework/fit_error.hpp"
#include "plugins/victims.hpp"

namespace coracle::scheduler {
namespace {

// Makes a priority positive: three pods of -1 weigh more than one of -1.
constexpr std::int64_t kPriorityShift = std::int64_t{1} << 31;

const NodeInfo* node_named(const Snapshot& world, const std::string& name) {
  const auto found = std::find_if(world.nodes.begin(), world.nodes.end(),
                                  [&](const NodeInfo& node) { return node.name() == name; });
  return found == world.nodes.end() ? nullptr : &*found;
}

// Empty: it may.
std::string why_not_eligible(const PostFilterInput& in) {
  if (!in.pod.preempts) return "not eligible due to preemptionPolicy=Never.";
  const std::string nominated = in.world.nominations.node_of(in.pod.uid);
  const NodeInfo* node = nominated.empty() ? nullptr : node_named(in.world, nominated);
  if (node == nullptr) return {};
  for (const auto& [index, verdict] : in.noes) {
    if (&in.world.nodes[index] == node && verdict->kind() == Verdict::Kind::kNever) return {};
  }
  const auto& pods = node->pods();
  const bool waits = std::any_of(pods.begin(), pods.end(), [&](const PodPtr& other) {
    return other->priority < in.pod.priority && other->preempted;
  });
  return waits ? "not eligible due to a terminating pod on the nominated node." : "";
}

std::string oldest_start(const Candidate& candidate) {
  const PodInfo* oldest = candidate.victims.front().get();
  for (const PodPtr& victim : candidate.victims) {
    if (victim->priority == oldest->priority && victim->started_before(*oldest)) {
      oldest = victim.get();
    }
  }
  return oldest->start_time;
}

// Smaller is better, one after the other; the last is compared the other way round.
struct Rank {
  std::int64_t violations, highest_priority, sum;
  size_t victims;
  std::string start;

  explicit Rank(const Candidate& c)
      : violations(c.violations),
        highest_priority(c.victims.front()->priority),
        sum(0),
        victims(c.victims.size()),
        start(oldest_start(c)) {
    for (const PodPtr& victim : c.victims) sum += victim->priority + kPriorityShift;
  }
  bool better_than(const Rank& other) const {
    const auto numbers = [](const Rank& r) {
      return std::tuple(r.violations, r.highest_priority, r.sum, r.victims);
    };
    if (numbers(*this) != numbers(other)) return numbers(*this) < numbers(other);
    if (start.empty() || other.start.empty()) return start.empty() && !other.start.empty();
    return start > other.start;
  }
};

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
  std::vector<Candidate> kind, harsh;  // without and with broken budgets
  std::vector<std::string> failures;
  const size_t offset = nodes.empty() ? 0 : in.rng.below(nodes.size());
  for (size_t i = 0; i < nodes.size(); ++i) {
    const NodeInfo& node = in.world.nodes[nodes[(offset + i) % nodes.size()]];
    Candidate candidate;
    const Verdict verdict = choose_victims(in, node, candidate);
    if (verdict.kind() == Verdict::Kind::kBroken) failures.push_back(verdict.reasons().front());
    if (!verdict.is_yes()) {
      error.add(verdict, 1);
      continue;
    }
    (candidate.violations == 0 ? kind : harsh).push_back(std::move(candidate));
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

size_t DefaultPreemption::pick(const std::vector<Candidate>& candidates) const {
  size_t best = 0;
  for (size_t i = 1; i < candidates.size(); ++i) {
    if (Rank(candidates[i]).better_than(Rank(candidates[best]))) best = i;
  }
  return best;
}

}  // namespace coracle::scheduler
