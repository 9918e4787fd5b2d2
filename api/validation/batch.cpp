#include <string>

#include "api/cron_schedule.hpp"
#include "api/validation/checks.hpp"
#include "api/validation/pod_parts.hpp"
#include "api/validation/validation.hpp"

namespace coracle::api::validation {
namespace {

using checks::member;
using checks::text_of;

// 63 less the 11 characters that the names of the jobs get behind.
constexpr std::size_t kCronNameMax = 52;

const json::value& child_or_empty(const json::value& object, std::string_view key) {
  static const json::value kNothing = json::object();
  const json::value* found = member(object, key);
  return found == nullptr ? kNothing : *found;
}

void job_spec(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  checks::non_negative(spec,
                       {"parallelism", "completions", "activeDeadlineSeconds", "backoffLimit",
                        "ttlSecondsAfterFinished", "backoffLimitPerIndex", "maxFailedIndexes"},
                       path, errors);
  checks::one_of_if_set(spec, "completionMode", path, {"NonIndexed", "Indexed"}, errors);
  if (text_of(spec, "completionMode") == "Indexed" && member(spec, "completions") == nullptr) {
    errors.required(path.child("completions"), "when completion mode is Indexed");
  }
  checks::one_of_if_set(spec, "podReplacementPolicy", path, {"Failed", "TerminatingOrFailed"},
                        errors);
  const json::value& pods = child_or_empty(spec, "template");
  pod_template(pods, path.child("template"), errors);
  const std::string_view policy = get_string(pods, "spec.restartPolicy");
  if (policy != "OnFailure" && policy != "Never") {
    errors.required(path.child("template").child("spec").child("restartPolicy"),
                    R"(valid values: "OnFailure", "Never")");
  }
}

// The Go runtime's words for names that are not in its time zone database are not ours to know;
// these two are refused by rule.
void time_zone(const json::value& spec, FieldErrors& errors) {
  const json::value* zone = member(spec, "timeZone");
  if (zone == nullptr) {
    return;
  }
  const FieldPath path = FieldPath("spec").child("timeZone");
  const std::string_view name = text_of(spec, "timeZone");
  if (name.empty()) {
    errors.invalid(path, *zone, "timeZone must be nil or non-empty string");
  } else if (name == "Local" || name == "local") {
    errors.invalid(path, *zone,
                   "timeZone must be an explicit time zone as defined in "
                   "https://www.iana.org/time-zones");
  }
}

void fixed(const json::value& now, const json::value& before, std::string_view key,
           FieldErrors& errors) {
  if (!checks::same(member(now, key), member(before, key))) {
    errors.invalid(FieldPath("spec").child(key), checks::value_or_null(member(now, key)),
                   checks::kImmutable);
  }
}

}  // namespace

void job(const json::value& object, const json::value* old, FieldErrors& errors) {
  const json::value& spec = child_or_empty(object, "spec");
  job_spec(spec, FieldPath("spec"), errors);
  if (get_bool(spec, "manualSelector") && member(spec, "selector") == nullptr) {
    errors.required(FieldPath("spec").child("selector"));
  }
  if (old == nullptr) {
    return;
  }
  const json::value& before = child_or_empty(*old, "spec");
  // An indexed job grows and shrinks by changing both numbers together.
  const bool elastic = text_of(spec, "completionMode") == "Indexed" &&
                       checks::same(member(spec, "completions"), member(spec, "parallelism"));
  if (!elastic) {
    fixed(spec, before, "completions", errors);
  }
  fixed(spec, before, "selector", errors);
  // While a job is suspended, where its pods run may still be changed.
  const bool suspended = get_bool(before, "suspend") && find(*old, "status.startTime") == nullptr;
  if (!suspended) {
    fixed(spec, before, "template", errors);
  }
  fixed(spec, before, "completionMode", errors);
  fixed(spec, before, "podFailurePolicy", errors);
  fixed(spec, before, "backoffLimitPerIndex", errors);
}

void cron_job(const json::value& object, const json::value* old, FieldErrors& errors) {
  const json::value& spec = child_or_empty(object, "spec");
  const FieldPath path("spec");
  if (checks::required_text(spec, "schedule", path, errors)) {
    const auto schedule = CronSchedule::parse(text_of(spec, "schedule"));
    if (!schedule.ok()) {
      errors.invalid(path.child("schedule"), *member(spec, "schedule"),
                     schedule.status().message());
    }
  }
  checks::non_negative(spec, {"startingDeadlineSeconds"}, path, errors);
  checks::one_of(spec, "concurrencyPolicy", path, {"Allow", "Forbid", "Replace"}, errors);
  time_zone(spec, errors);
  const json::value& job_template = child_or_empty(spec, "jobTemplate");
  job_spec(child_or_empty(job_template, "spec"), path.child("jobTemplate").child("spec"), errors);
  if (get_bool(job_template, "spec.manualSelector")) {
    errors.not_supported(path.child("jobTemplate").child("spec").child("manualSelector"), true,
                         {"nil", "false"});
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
