#include <optional>
#include <set>
#include <string>

#include "api/validation/checks.hpp"
#include "api/validation/go_structs.hpp"
#include "api/validation/job_parts.hpp"
#include "base/strings.hpp"

namespace coracle::api::validation {
namespace {

using checks::member;
using checks::text_of;

constexpr int kRulesMax = 20, kValuesMax = 255, kPatternsMax = 20;
constexpr int kIndexesTextMax = 64 * 1024;

// A text of a fixed set; the set is told when there is none.
void chosen(const json::value& object, std::string_view key, const FieldPath& path,
            const std::vector<std::string>& supported, FieldErrors& errors) {
  const std::string_view text = text_of(object, key);
  if (text.empty()) {
    std::vector<std::string> shown;
    for (const std::string& one : supported) shown.push_back(quoted(one));
    errors.required(path.child(key), "valid values: [" + join(shown, " ") + "]");
    return;
  }
  checks::one_of_if_set(object, key, path, supported, errors);
}

void exit_codes(const json::value& codes, const std::set<std::string, std::less<>>& containers,
                const FieldPath& path, FieldErrors& errors) {
  chosen(codes, "operator", path, {"In", "NotIn"}, errors);
  const std::string_view container = text_of(codes, "containerName");
  if (member(codes, "containerName") != nullptr && !containers.contains(container)) {
    errors.invalid(path.child("containerName"), container,
                   "must be one of the container or initContainer names in the pod template");
  }
  const FieldPath at = path.child("values");
  const json::array& values = get_array(codes, "values");
  if (values.empty()) {
    errors.invalid(at, checks::value_or_null(member(codes, "values")),
                   "at least one value is required");
  } else if (values.size() > kValuesMax) {
    errors.too_many(at, static_cast<int>(values.size()), kValuesMax);
  }
  std::set<std::int64_t> seen;
  bool ordered = true;
  std::int64_t last = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::int64_t code = values[i].is_int64() ? values[i].get_int64() : 0;
    if (text_of(codes, "operator") == "In" && code == 0) {
      errors.invalid(at.index(i), code, "must not be 0 for the In operator");
    }
    if (!seen.insert(code).second) errors.duplicate(at.index(i), code);
    ordered = ordered && (i == 0 || last <= code);
    last = code;
  }
  if (!ordered) errors.invalid(at, values, "must be ordered");
}

void pod_conditions(const json::array& patterns, const FieldPath& path, FieldErrors& errors) {
  if (patterns.size() > kPatternsMax) {
    errors.too_many(path, static_cast<int>(patterns.size()), kPatternsMax);
  }
  std::size_t index = 0;
  for (const json::value& pattern : patterns) {
    const FieldPath at = path.index(index++);
    checks::label_name(text_of(pattern, "type"), at.child("type"), errors);
    chosen(pattern, "status", at, {"False", "True", "Unknown"}, errors);
  }
}

void failure_rule(const json::value& spec, const json::value& rule,
                  const std::set<std::string, std::less<>>& containers, const FieldPath& path,
                  FieldErrors& errors) {
  const std::string_view action = text_of(rule, "action");
  if (action == "FailIndex") {
    if (member(spec, "backoffLimitPerIndex") == nullptr) {
      errors.invalid(path.child("action"), action, "requires the backoffLimitPerIndex to be set");
    }
  } else {
    chosen(rule, "action", path, {"Count", "FailIndex", "FailJob", "Ignore"}, errors);
  }
  const json::value* codes = member(rule, "onExitCodes");
  const json::array& conditions = get_array(rule, "onPodConditions");
  if (codes != nullptr) exit_codes(*codes, containers, path.child("onExitCodes"), errors);
  if (!conditions.empty()) pod_conditions(conditions, path.child("onPodConditions"), errors);
  if ((codes != nullptr) == !conditions.empty()) {
    errors.add({FieldErrorType::kInvalid, path.text(), "", true,
                codes != nullptr
                    ? "specifying both OnExitCodes and OnPodConditions is not supported"
                    : "specifying one of OnExitCodes and OnPodConditions is required"});
  }
}

// "3" or "1-5", below `completions`; the reason when it is not.
struct Interval {
  long long from = 0, to = 0;
  std::string problem;
};

Interval interval(std::string_view text, std::int64_t completions) {
  Interval out;
  const std::vector<std::string> limits = split(text, '-');
  if (limits.size() > 2) {
    out.problem = "the fragment " + quoted(text) +
                  " violates the requirement that an index interval can have at most two parts "
                  "separated by '-'";
    return out;
  }
  const auto read = [&](std::string_view part, long long& number) {
    if (!parse_int(part, &number)) {
      out.problem = "cannot convert string to integer for index: " + quoted(part);
    } else if (number >= completions) {
      out.problem = "too large index: " + quoted(part);
    }
    return out.problem.empty();
  };
  if (!read(limits.empty() ? "" : limits[0], out.from)) return out;
  out.to = out.from;
  if (limits.size() == 2 && read(limits[1], out.to) && out.from >= out.to) {
    out.problem = "non-increasing order, previous: " + std::to_string(out.from) +
                  ", current: " + std::to_string(out.to);
  }
  return out;
}

// How many indexes the text names; the problem otherwise.
long long count_indexes(std::string_view text, std::int64_t completions, std::string& problem) {
  long long total = 0;
  std::optional<long long> last;
  for (const std::string& part : split(text, ',')) {
    const Interval one = interval(part, completions);
    problem = one.problem;
    if (problem.empty() && last && *last >= one.from) {
      problem = "non-increasing order, previous: " + std::to_string(*last) +
                ", current: " + std::to_string(one.from);
    }
    if (!problem.empty()) return 0;
    total += one.to - one.from + 1;
    last = one.to;
  }
  return total;
}

void success_rule(const json::value& rule, std::int64_t completions, const FieldPath& path,
                  FieldErrors& errors) {
  const json::value* count = member(rule, "succeededCount");
  const json::value* indexes = member(rule, "succeededIndexes");
  if (count == nullptr && indexes == nullptr) {
    errors.required(path, "at least one of succeededCount or succeededIndexes must be specified");
  }
  long long total = 0;
  if (indexes != nullptr) {
    const FieldPath at = path.child("succeededIndexes");
    const std::string_view text = text_of(rule, "succeededIndexes");
    if (text.size() > kIndexesTextMax) errors.too_long(at, kIndexesTextMax);
    std::string problem;
    total = count_indexes(text, completions, problem);
    if (!problem.empty()) {
      errors.invalid(at, text, "error parsing succeededIndexes: " + problem);
    }
  }
  if (count == nullptr || !count->is_int64()) return;
  checks::non_negative(rule, {"succeededCount"}, path, errors);
  const auto at_most = [&](long long most, std::string_view what) {
    if (count->get_int64() > most) {
      errors.invalid(path.child("succeededCount"), *count,
                     "must be less than or equal to " + std::to_string(most) + " (the number of " +
                         std::string(what) + ")");
    }
  };
  at_most(completions, "specified completions");
  if (indexes != nullptr) at_most(total, "indexes in the specified succeededIndexes field");
}

}  // namespace

void failure_policy(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  const json::array& rules = get_array(spec, "podFailurePolicy.rules");
  const FieldPath at = path.child("rules");
  if (rules.size() > kRulesMax) {
    errors.too_many(at, static_cast<int>(rules.size()), kRulesMax);
  }
  std::set<std::string, std::less<>> containers;
  for (const std::string_view list : {"containers", "initContainers"}) {
    for (const json::value& container : get_array(spec, "template.spec." + std::string(list))) {
      containers.emplace(text_of(container, "name"));
    }
  }
  std::size_t index = 0;
  for (const json::value& rule : rules) {
    failure_rule(spec, rule, containers, at.index(index++), errors);
  }
}

void success_policy(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  if (text_of(spec, "completionMode") != "Indexed") {
    errors.invalid(path, as_go_struct(*member(spec, "successPolicy"), "SuccessPolicy"),
                   "requires indexed completion mode");
    return;
  }
  const json::array& rules = get_array(spec, "successPolicy.rules");
  const FieldPath at = path.child("rules");
  if (rules.empty()) {
    errors.required(at, "at least one rules must be specified when the successPolicy is specified");
  }
  if (rules.size() > kRulesMax) {
    errors.too_many(at, static_cast<int>(rules.size()), kRulesMax);
  }
  std::size_t index = 0;
  for (const json::value& rule : rules) {
    success_rule(rule, get_int(spec, "completions"), at.index(index++), errors);
  }
}

}  // namespace coracle::api::validation
