#include "framework/candidate.hpp"

#include <tuple>
#include <utility>

namespace coracle::scheduler {
namespace {

// Makes a priority positive: three pods of -1 weigh more than one of -1.
constexpr std::int64_t kPriorityShift = std::int64_t{1} << 31;

Harm harm_of(const std::vector<PodPtr>& victims, std::int64_t violations) {
  Harm harm{violations, victims.front()->priority, 0, victims.size(), {}};
  const PodInfo* oldest = victims.front().get();
  for (const PodPtr& victim : victims) {
    harm.sum += victim->priority + kPriorityShift;
    if (victim->priority == oldest->priority && victim->started_before(*oldest)) {
      oldest = victim.get();
    }
  }
  harm.start = oldest->start_time;
  return harm;
}

}  // namespace

bool Harm::less_than(const Harm& other) const {
  const auto numbers = [](const Harm& h) {
    return std::tuple(h.violations, h.highest_priority, h.sum, h.victims);
  };
  if (numbers(*this) != numbers(other)) return numbers(*this) < numbers(other);
  if (start.empty() || other.start.empty()) return start.empty() && !other.start.empty();
  return start > other.start;
}

Candidate::Candidate(std::string on, std::vector<PodPtr> leaving, std::int64_t broken_budgets)
    : node(std::move(on)),
      victims(std::move(leaving)),
      violations(broken_budgets),
      harm(harm_of(victims, violations)) {}

}  // namespace coracle::scheduler
