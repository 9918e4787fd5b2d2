#include <algorithm>
#include <string>

#include "api/cron_schedule.hpp"
#include "api/object.hpp"
#include "api/selectors.hpp"
#include "api/validation/checks.hpp"
#include "api/validation/go_structs.hpp"
#include "api/validation/job_parts.hpp"
#include "api/validation/pod_parts.hpp"
#include "api/validation/time_zone_names.hpp"
#include "api/validation/validation.hpp"
#include "base/strings.hpp"

namespace coracle::api::validation {
namespace {

using checks::child_or_empty;
using checks::member;
using checks::text_of;

// 63 less the 11 characters that the names of the jobs get behind.
constexpr std::size_t kCronNameMax = 52;

constexpr std::int64_t kManyIndexes = 100000, kManyPods = 10000;

// How far an indexed job may go, so that its status stays small.
void indexed(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  const json::value* completions = member(spec, "completions");
  const json::value* failed = member(spec, "maxFailedIndexes");
  const std::int64_t parallelism = get_int(spec, "parallelism");
  const auto at_most = [&](std::string_view key, std::int64_t most, std::string_view more) {
    if (get_int(spec, key) > most) {
      errors.invalid(path.child(key), get_int(spec, key),
                     "must be less than or equal to " + std::to_string(most) + std::string(more));
    }
  };
  if (completions == nullptr) {
    errors.required(path.child("completions"), "when completion mode is Indexed");
  }
  at_most("parallelism", kManyIndexes, " when completion mode is Indexed");
  if (completions != nullptr && failed != nullptr &&
      get_int(spec, "maxFailedIndexes") > get_int(spec, "completions")) {
    errors.invalid(path.child("maxFailedIndexes"), *failed,
                   "must be less than or equal to completions");
  }
  at_most("maxFailedIndexes", kManyIndexes, "");
  if (get_int(spec, "completions") <= kManyIndexes ||
      member(spec, "backoffLimitPerIndex") == nullptr) {
    return;
  }
  if (failed == nullptr) {
    errors.required(path.child("maxFailedIndexes"),
                    "must be specified when completions is above 100000");
  }
  constexpr std::string_view kWhy =
      " when completions are above 100000 and used with backoff limit per index";
  if (parallelism > kManyPods) at_most("parallelism", kManyPods, kWhy);
  at_most("maxFailedIndexes", kManyPods, kWhy);
}

void completion(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  checks::one_of_if_set(spec, "completionMode", path, {"NonIndexed", "Indexed"}, errors);
  const std::string_view mode = text_of(spec, "completionMode");
  if (mode == "Indexed") indexed(spec, path, errors);
  if (mode != "NonIndexed" && !mode.empty()) return;
  for (const std::string_view key : {"backoffLimitPerIndex", "maxFailedIndexes"}) {
    if (const json::value* value = member(spec, key)) {
      errors.invalid(path.child(key), *value, "requires indexed completion mode");
    }
  }
}

void managed_by(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  constexpr int kMax = 63;
  if (member(spec, "managedBy") == nullptr) return;
  const FieldPath at = path.child("managedBy");
  checks::domain_prefixed_path(text_of(spec, "managedBy"), at, errors);
  if (text_of(spec, "managedBy").size() > kMax) errors.too_long(at, kMax);
}

void restart_policy(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  const FieldPath at = path.child("template").child("spec").child("restartPolicy");
  const std::string_view policy = get_string(spec, "template.spec.restartPolicy");
  if (policy.empty() || policy == "Always") {
    errors.required(at, R"(valid values: "OnFailure", "Never")");
  } else if (policy != "OnFailure" && policy != "Never") {
    errors.not_supported(at, policy, {"OnFailure", "Never"});
  } else if (member(spec, "podFailurePolicy") != nullptr && policy != "Never") {
    errors.invalid(at, policy, R"(only "Never" is supported when podFailurePolicy is specified)");
  }
}

// What a job and the template of one share.
void job_spec(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  checks::non_negative(spec,
                       {"parallelism", "completions", "activeDeadlineSeconds", "backoffLimit",
                        "ttlSecondsAfterFinished", "backoffLimitPerIndex", "maxFailedIndexes"},
                       path, errors);
  if (member(spec, "maxFailedIndexes") != nullptr &&
      member(spec, "backoffLimitPerIndex") == nullptr) {
    errors.required(path.child("backoffLimitPerIndex"), "when maxFailedIndexes is specified");
  }
  managed_by(spec, path, errors);
  completion(spec, path, errors);
  const bool policy = member(spec, "podFailurePolicy") != nullptr;
  if (policy) failure_policy(spec, path.child("podFailurePolicy"), errors);
  if (member(spec, "successPolicy") != nullptr) {
    success_policy(spec, path.child("successPolicy"), errors);
  }
  const std::vector<std::string> replaced =
      policy ? std::vector<std::string>{"Failed"}
             : std::vector<std::string>{"Failed", "TerminatingOrFailed"};
  checks::one_of_if_set(spec, "podReplacementPolicy", path, replaced, errors);
  pod_template(child_or_empty(spec, "template"), path.child("template"), errors);
  restart_policy(spec, path, errors);
}

json::value shown_labels(const json::value& spec) {
  return checks::value_or_null(find(spec, "template.metadata.labels"));
}

void selects_its_pods(const json::value& spec, FieldErrors& errors) {
  const FieldPath path("spec");
  const json::value* selector = member(spec, "selector");
  if (selector == nullptr) {
    errors.required(path.child("selector"));
  } else {
    validate_label_selector(selector, path.child("selector"), errors);
  }
  const auto selects = LabelSelector::from_object(selector);
  if (selects.ok() && !selects->matches(get_object(spec, "template.metadata.labels"))) {
    errors.invalid(path.child("template").child("metadata").child("labels"), shown_labels(spec),
                   "`selector` does not match template `labels`");
  }
}

// The labels and the selector that the server makes, unless its writer does both.
void generated_selector(const json::value& object, FieldErrors& errors) {
  const json::value& spec = child_or_empty(object, "spec");
  if (get_bool(spec, "manualSelector") || member(spec, "selector") == nullptr) return;
  const std::string uid(uid_of(object)), name(name_of(object));
  const FieldPath at = FieldPath("spec").child("template").child("metadata").child("labels");
  const json::object& labels = get_object(spec, "template.metadata.labels");
  json::object expected;
  for (const auto& [key, value] : {std::pair{"controller-uid", &uid}, std::pair{"job-name", &name},
                                   std::pair{"batch.kubernetes.io/controller-uid", &uid},
                                   std::pair{"batch.kubernetes.io/job-name", &name}}) {
    expected[key] = *value;
    const json::value* label = find_member(labels, key);
    if (label == nullptr) {
      errors.required(at.key(key), "must be '" + *value + "'");
    } else if (*label != json::value(*value)) {
      errors.invalid(at.key(key), shown_labels(spec), "must be '" + *value + "'");
    }
  }
  const auto selects = LabelSelector::from_object(member(spec, "selector"));
  if (selects.ok() && !selects->matches(expected)) {
    errors.invalid(FieldPath("spec").child("selector"), *member(spec, "selector"),
                   "`selector` not auto-generated");
  }
}

// The names of an indexed job's pods end in their index.
void pod_names(const json::value& object, FieldErrors& errors) {
  const json::value& spec = child_or_empty(object, "spec");
  const std::int64_t completions = get_int(spec, "completions");
  if (text_of(spec, "completionMode") != "Indexed" || completions <= 0) return;
  const std::string longest = std::string(name_of(object)) + "-" + std::to_string(completions - 1);
  if (!check_dns1123_label(longest).empty()) {
    errors.invalid(FieldPath("metadata").child("name"), name_of(object),
                   "will not able to create pod with invalid DNS label: " + longest);
  }
}

void time_zone(const json::value& spec, const json::value* before, FieldErrors& errors) {
  const json::value* zone = member(spec, "timeZone");
  if (zone == nullptr || (before != nullptr && checks::same(zone, member(*before, "timeZone")))) {
    return;
  }
  const FieldPath path = FieldPath("spec").child("timeZone");
  const std::string name(text_of(spec, "timeZone"));
  if (name.empty()) {
    errors.invalid(path, *zone, "timeZone must be nil or non-empty string");
    return;
  }
  if (iequals(name, "Local")) {
    errors.invalid(path, *zone,
                   "timeZone must be an explicit time zone as defined in "
                   "https://www.iana.org/time-zones");
  } else if (!is_time_zone(name)) {
    errors.invalid(path, *zone, "unknown time zone " + name);
  }
}

void schedule(const json::value& spec, const json::value* before, FieldErrors& errors) {
  const FieldPath path = FieldPath("spec").child("schedule");
  if (!checks::required_text(spec, "schedule", FieldPath("spec"), errors)) return;
  const std::string_view text = text_of(spec, "schedule");
  if (text.find("TZ") == std::string_view::npos) {
    const auto parsed = CronSchedule::parse(text);
    if (!parsed.ok()) errors.invalid(path, text, parsed.status().message());
    return;
  }
  const bool had =
      before != nullptr && text_of(*before, "schedule").find("TZ") != std::string_view::npos;
  if (!had) {
    errors.invalid(path, text, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
  } else if (member(spec, "timeZone") != nullptr) {
    errors.invalid(path, text, "cannot use both timeZone field and TZ or CRON_TZ in schedule");
  }
}

void fixed(const json::value& now, const json::value& before, std::string_view key,
           FieldErrors& errors) {
  if (!checks::same(member(now, key), member(before, key))) {
    errors.invalid(FieldPath("spec").child(key), checks::value_or_null(member(now, key)),
                   checks::kImmutable);
  }
}

// What a suspended job that never ran may change of its template.
json::value without_scheduling(const json::value& pods) {
  json::value out = pods;
  if (json::object* metadata =
          find(out, "metadata") == nullptr ? nullptr : out.get_object()["metadata"].if_object()) {
    erase_key(*metadata, "annotations");
    erase_key(*metadata, "labels");
    if (metadata->empty()) erase_key(out.get_object(), "metadata");
  }
  json::object* spec =
      find(out, "spec") == nullptr ? nullptr : out.get_object()["spec"].if_object();
  if (spec == nullptr) return out;
  for (const std::string_view key : {"nodeSelector", "tolerations", "schedulingGates"}) {
    erase_key(*spec, key);
  }
  json::value* affinity = find_member(*spec, "affinity");
  if (affinity != nullptr && affinity->is_object()) {
    erase_key(affinity->get_object(), "nodeAffinity");
    if (affinity->get_object().empty()) erase_key(*spec, "affinity");
  }
  return out;
}

void completions_kept(const json::value& spec, const json::value& before, FieldErrors& errors) {
  const json::value* now = member(spec, "completions");
  if (text_of(spec, "completionMode") != "Indexed") {
    fixed(spec, before, "completions", errors);
  } else if (now != nullptr && !checks::same(now, member(before, "completions")) &&
             get_int(spec, "completions") != get_int(spec, "parallelism")) {
    errors.invalid(FieldPath("spec").child("completions"), *now,
                   "can only be modified in tandem with spec.parallelism");
  }
}

void job_changes(const json::value& spec, const json::value& old, FieldErrors& errors) {
  const json::value& before = child_or_empty(old, "spec");
  completions_kept(spec, before, errors);
  fixed(spec, before, "selector", errors);
  const bool loose = get_bool(before, "suspend") && find(old, "status.startTime") == nullptr;
  const json::value& pods = child_or_empty(spec, "template");
  const json::value& had = child_or_empty(before, "template");
  if (loose ? without_scheduling(pods) != without_scheduling(had) : pods != had) {
    errors.invalid(FieldPath("spec").child("template"), template_as_go_struct(pods),
                   checks::kImmutable);
  }
  fixed(spec, before, "completionMode", errors);
  for (const auto& [key, type] :
       {std::pair{"podFailurePolicy", "PodFailurePolicy"}, std::pair{"backoffLimitPerIndex", ""},
        std::pair{"managedBy", ""}, std::pair{"successPolicy", "SuccessPolicy"}}) {
    const json::value* now = member(spec, key);
    if (checks::same(now, member(before, key))) continue;
    errors.invalid(FieldPath("spec").child(key),
                   now == nullptr ? json::value(nullptr) : as_go_struct(*now, type),
                   checks::kImmutable);
  }
}

}  // namespace

void job(const json::value& object, const json::value* old, FieldErrors& errors) {
  const json::value& spec = child_or_empty(object, "spec");
  if (old == nullptr) generated_selector(object, errors);
  job_spec(spec, FieldPath("spec"), errors);
  selects_its_pods(spec, errors);
  if (old == nullptr) {
    pod_names(object, errors);
  } else {
    job_changes(spec, *old, errors);
  }
}

void cron_job(const json::value& object, const json::value* old, FieldErrors& errors) {
  const json::value& spec = child_or_empty(object, "spec");
  const json::value* before = old == nullptr ? nullptr : &child_or_empty(*old, "spec");
  const FieldPath path("spec");
  schedule(spec, before, errors);
  checks::non_negative(spec, {"startingDeadlineSeconds"}, path, errors);
  time_zone(spec, before, errors);
  checks::one_of(spec, "concurrencyPolicy", path, {"Allow", "Forbid", "Replace"}, errors);
  const json::value& job_template = child_or_empty(spec, "jobTemplate");
  const FieldPath inside = path.child("jobTemplate").child("spec");
  job_spec(child_or_empty(job_template, "spec"), inside, errors);
  if (const json::value* selector = find(job_template, "spec.selector")) {
    errors.invalid(inside.child("selector"), *selector, "`selector` will be auto-generated");
  }
  if (get_bool(job_template, "spec.manualSelector")) {
    errors.not_supported(inside.child("manualSelector"), true, {"nil", "false"});
  }
  checks::non_negative(spec, {"successfulJobsHistoryLimit", "failedJobsHistoryLimit"}, path,
                       errors);
  const std::string_view name = name_of(object);
  if (old == nullptr && name.size() > kCronNameMax) {
    errors.invalid(FieldPath("metadata").child("name"), checks::text_value(name),
                   max_length_message(kCronNameMax));
  }
}

}  // namespace coracle::api::validation
