// A kept decision as the API object SchedulingDecision of lab.coracle.dev/v1alpha1
// (docs/formats/scheduling-decision.md). Pure.
#pragma once

#include "why/decision_log.hpp"

namespace coracle::scheduler {

inline constexpr const char* kDecisionGroup = "lab.coracle.dev";
inline constexpr const char* kDecisionVersion = "lab.coracle.dev/v1alpha1";

// `whole`: with the verdicts and scores of every node; else only what sums them up.
json::value decision_object(const KeptDecision& kept, bool whole);

}  // namespace coracle::scheduler
