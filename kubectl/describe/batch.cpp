// job, cron job
#include "api/object.hpp"
#include "describe/describe.hpp"
#include "describe/pod_template.hpp"
#include "describe/workload_parts.hpp"

namespace coracle::kubectl {
namespace {

constexpr size_t kIndexesMax = 50;

// Long lists are cut behind a comma.
std::string indexes_text(std::string text) {
  if (text.size() <= kIndexesMax) return or_none(text);
  text.resize(kIndexesMax + 1);
  return text.substr(0, text.rfind(',') + 1) + "...";
}

void write_numbers(DescribeWriter& out, const json::value& spec) {
  out.field(0, "Parallelism", number_or(spec, "parallelism", "<unset>"));
  out.field(0, "Completions", number_or(spec, "completions", "<unset>"));
}

void write_deadline(DescribeWriter& out, const json::value& spec) {
  const std::string deadline = text_at(spec, "activeDeadlineSeconds");
  if (!deadline.empty()) out.field(0, "Active Deadline Seconds", deadline + "s");
}

}  // namespace

void describe_job(DescribeWriter& out, const DescribeContext& context) {
  const json::value& object = context.object;
  const json::value spec = get_object(object, "spec");
  out.field(0, "Name", api::name_of(object));
  out.field(0, "Namespace", api::namespace_of(object));
  out.field(0, "Selector", selector_text(object));
  write_labels(out, "Labels", api::labels_of(object));
  write_annotations(out, "Annotations", api::annotations_of(object));
  const std::string controller = controller_text(object);
  if (!controller.empty()) out.field(0, "Controlled By", controller);
  write_numbers(out, spec);
  out.field(0, "Completion Mode", text_at(spec, "completionMode"));
  out.field(0, "Suspend", get_bool(spec, "suspend") ? "true" : "false");
  out.field(0, "Backoff Limit", number(spec, "backoffLimit", 6));
  const std::string ttl = text_at(spec, "ttlSecondsAfterFinished");
  if (!ttl.empty()) out.field(0, "TTL Seconds After Finished", ttl);
  const std::string start = text_at(object, "status.startTime");
  const std::string end = text_at(object, "status.completionTime");
  if (!start.empty()) out.field(0, "Start Time", long_time(start));
  if (!end.empty()) out.field(0, "Completed At", long_time(end));
  const auto from = parse_time(start), to = parse_time(end);
  if (from.ok() && to.ok()) out.field(0, "Duration", human_duration(*to - *from));
  write_deadline(out, spec);
  out.field(0, "Pods Statuses",
            number(object, "status.active") + " Active (" + number(object, "status.ready") +
                " Ready) / " + number(object, "status.succeeded") + " Succeeded / " +
                number(object, "status.failed") + " Failed");
  if (text_at(spec, "completionMode") == "Indexed") {
    out.field(0, "Completed Indexes", indexes_text(text_at(object, "status.completedIndexes")));
  }
  write_pod_template(out, json::value(get_object(spec, "template")));
}

void describe_cron_job(DescribeWriter& out, const DescribeContext& context) {
  const json::value& object = context.object;
  out.field(0, "Name", api::name_of(object));
  out.field(0, "Namespace", api::namespace_of(object));
  write_labels(out, "Labels", api::labels_of(object));
  write_annotations(out, "Annotations", api::annotations_of(object));
  out.field(0, "Schedule", text_at(object, "spec.schedule"));
  out.field(0, "Concurrency Policy", text_at(object, "spec.concurrencyPolicy"));
  out.field(0, "Suspend",
            find(object, "spec.suspend") == nullptr ? "<unset>"
                                                    : bool_text(get_bool(object, "spec.suspend")));
  out.field(0, "Successful Job History Limit",
            number_or(object, "spec.successfulJobsHistoryLimit", "<unset>"));
  out.field(0, "Failed Job History Limit",
            number_or(object, "spec.failedJobsHistoryLimit", "<unset>"));
  const std::string late = text_at(object, "spec.startingDeadlineSeconds");
  out.field(0, "Starting Deadline Seconds", late.empty() ? "<unset>" : late + "s");
  const json::value spec = get_object(object, "spec.jobTemplate.spec");
  out.field(0, "Selector",
            find(spec, "selector") == nullptr ? "<unset>"
                                              : selector_text(json::object({{"spec", spec}})));
  write_numbers(out, spec);
  write_deadline(out, spec);
  write_pod_template(out, json::value(get_object(spec, "template")));
  const std::string last = text_at(object, "status.lastScheduleTime");
  out.field(0, "Last Schedule Time", last.empty() ? "<unset>" : long_time(last));
  std::string active;
  for (const json::value& job : get_array(object, "status.active")) {
    active += (active.empty() ? "" : ", ") + text_at(job, "name");
  }
  out.field(0, "Active Jobs", or_none(active));
}

}  // namespace coracle::kubectl
