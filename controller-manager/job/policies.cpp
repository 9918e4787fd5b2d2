#include "job/policies.hpp"

#include <fmt/format.h>

#include "api/object.hpp"
#include "controllers/pods.hpp"

namespace coracle::controllers::job {
namespace {

bool holds(const json::array& values, std::int64_t value) {
  for (const json::value& v : values) {
    if (v.is_int64() && v.get_int64() == value) return true;
  }
  return false;
}

// The container that ended as the rule says.
const json::value* match_exit_codes(const json::value& pod, const json::value& rule) {
  const std::string_view only = get_string(rule, "containerName");
  const bool in = get_string(rule, "operator") == "In";
  for (const char* list : {"status.containerStatuses", "status.initContainerStatuses"}) {
    for (const json::value& status : get_array(pod, list)) {
      if (!only.empty() && only != get_string(status, "name")) continue;
      if (find(status, "state.terminated") == nullptr) continue;
      const std::int64_t code = get_int(status, "state.terminated.exitCode");
      if (code != 0 && holds(get_array(rule, "values"), code) == in) return &status;
    }
  }
  return nullptr;
}

std::string_view match_conditions(const json::value& pod, const json::array& patterns) {
  for (const json::value& pattern : patterns) {
    const json::value* c = condition(pod, get_string(pattern, "type"));
    if (c != nullptr && get_string(*c, "status") == get_string(pattern, "status", "True")) {
      return get_string(pattern, "type");
    }
  }
  return {};
}

}  // namespace

bool replaces_ended_only(const json::value& job) {
  return get_string(job, "spec.podReplacementPolicy") == "Failed" ||
         find(job, "spec.podFailurePolicy") != nullptr;
}

bool is_failed(const json::value& job, const json::value& pod) {
  if (phase_of(pod) == "Failed") return true;
  return !replaces_ended_only(job) && is_deleting(pod) && phase_of(pod) != "Succeeded";
}

FailureMatch match_failure(const json::value& job, const json::value& pod) {
  const json::array& rules = get_array(job, "spec.podFailurePolicy.rules");
  const bool per_index = find(job, "spec.backoffLimitPerIndex") != nullptr;
  for (size_t i = 0; i < rules.size(); ++i) {
    const std::string_view action = get_string(rules[i], "action");
    const std::string tail = fmt::format(" matching {} rule at index {}", action, i);
    std::string message;
    if (const json::value* codes = find(rules[i], "onExitCodes")) {
      const json::value* container = match_exit_codes(pod, *codes);
      if (container == nullptr) continue;
      message = fmt::format("Container {} for pod {}/{} failed with exit code {}",
                            get_string(*container, "name"), api::namespace_of(pod),
                            api::name_of(pod), get_int(*container, "state.terminated.exitCode"));
    } else {
      const auto type = match_conditions(pod, get_array(rules[i], "onPodConditions"));
      if (type.empty()) continue;
      message = fmt::format("Pod {}/{} has condition {}", api::namespace_of(pod), api::name_of(pod),
                            type);
    }
    if (action == "Ignore") return {FailureAction::kIgnore, {}};
    if (action == "FailJob") return {FailureAction::kFailJob, message + tail};
    if (action == "FailIndex" && per_index) return {FailureAction::kFailIndex, {}};
    return {};
  }
  return {};
}

std::optional<std::string> met_success_rule(const json::value& job, const IndexSet& succeeded,
                                            std::int64_t completions) {
  const json::array& rules = get_array(job, "spec.successPolicy.rules");
  for (size_t i = 0; i < rules.size(); ++i) {
    std::int64_t have = succeeded.count(), need = completions;
    if (const auto among = get_string(rules[i], "succeededIndexes"); !among.empty()) {
      const IndexSet set = IndexSet::parse(among, completions);
      have = succeeded.count_common(set);
      need = set.count();
    }
    need = get_int(rules[i], "succeededCount", need);
    if (have >= need) return fmt::format("Matched rules at index {}", i);
  }
  return std::nullopt;
}

}  // namespace coracle::controllers::job
