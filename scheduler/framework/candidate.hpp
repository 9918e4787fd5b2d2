// Candidate: a node that would do for a pod if some of those it has left. Immutable, shared: what
// is found out about a node serves all pods alike. Pure data.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "framework/pod_info.hpp"
#include "framework/verdict.hpp"

namespace coracle::scheduler {

// What it would cost: fewest budgets broken, least important first victim, smallest sum of
// priorities, fewest victims, latest start of the oldest among the most important.
struct Harm {
  std::int64_t violations = 0, highest_priority = 0, sum = 0;
  size_t victims = 0;
  std::string start;  // empty: not started
  bool less_than(const Harm& other) const;
};

struct Candidate {
  // `victims`: one at least, the most important first.
  Candidate(std::string on, std::vector<PodPtr> leaving, std::int64_t broken_budgets);

  const std::string node;
  const std::vector<PodPtr> victims;
  const std::int64_t violations;  // victims whose PodDisruptionBudget forbids it
  const Harm harm;
};
using CandidatePtr = std::shared_ptr<const Candidate>;
using Candidates = std::vector<CandidatePtr>;

// A node tried without its less important pods: a yes has a candidate.
struct DryRun {
  Verdict verdict = Verdict::skip();
  CandidatePtr candidate = nullptr;
};

}  // namespace coracle::scheduler
