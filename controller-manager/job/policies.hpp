// A Job's podFailurePolicy and successPolicy, and what counts as a failed pod. Pure (upstream:
// pod_failure_policy.go, success_policy.go, job_controller.go isPodFailed).
#pragma once

#include <optional>
#include <string>

#include "job/indexes.hpp"

namespace coracle::controllers::job {

// Pods are replaced only when they have ended, not while they terminate.
bool replaces_ended_only(const json::value& job);
bool is_failed(const json::value& job, const json::value& pod);

enum class FailureAction { kCount, kIgnore, kFailIndex, kFailJob };
struct FailureMatch {
  FailureAction action = FailureAction::kCount;
  std::string message;  // of kFailJob
  bool counts() const { return action != FailureAction::kIgnore; }
};
// The first rule that speaks of the failed pod; kCount without any.
FailureMatch match_failure(const json::value& job, const json::value& pod);

// The message of the first rule of spec.successPolicy that is met.
std::optional<std::string> met_success_rule(const json::value& job, const IndexSet& succeeded,
                                            std::int64_t completions);

}  // namespace coracle::controllers::job
