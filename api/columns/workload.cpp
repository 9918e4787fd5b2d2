#include <string>

#include "api/columns/cells.hpp"
#include "api/columns/columns.hpp"
#include "api/object.hpp"
#include "api/selectors.hpp"
#include "base/strings.hpp"

namespace coracle::api {
namespace {

constexpr std::string_view kContainers = "spec.template.spec.containers";
constexpr std::string_view kCronContainers = "spec.jobTemplate.spec.template.spec.containers";

json::value ratio(std::int64_t part, std::int64_t whole) {
  return cells::text(std::to_string(part) + "/" + std::to_string(whole));
}

json::value ready_of_desired(const json::value& object, WallTime) {
  return ratio(get_int(object, "status.readyReplicas"), get_int(object, "spec.replicas"));
}

json::value updated_replicas(const json::value& object, WallTime) {
  return get_int(object, "status.updatedReplicas");
}

json::value available_replicas(const json::value& object, WallTime) {
  return get_int(object, "status.availableReplicas");
}

json::value ready_replicas(const json::value& object, WallTime) {
  return get_int(object, "status.readyReplicas");
}

json::value daemons_updated(const json::value& object, WallTime) {
  return get_int(object, "status.updatedNumberScheduled");
}

json::value daemons_available(const json::value& object, WallTime) {
  return get_int(object, "status.numberAvailable");
}

json::value daemons_node_selector(const json::value& object, WallTime) {
  return cells::text(cells::labels_text(get_object(object, "spec.template.spec.nodeSelector")));
}

json::value template_containers(const json::value& object, WallTime) {
  return cells::text(cells::join_members(object, kContainers, "name"));
}

json::value template_images(const json::value& object, WallTime) {
  return cells::text(cells::join_members(object, kContainers, "image"));
}

json::value pod_template_containers(const json::value& object, WallTime) {
  return cells::text(cells::join_members(object, "template.spec.containers", "name"));
}

json::value pod_template_images(const json::value& object, WallTime) {
  return cells::text(cells::join_members(object, "template.spec.containers", "image"));
}

json::value pod_template_labels(const json::value& object, WallTime) {
  return cells::text(cells::labels_text(get_object(object, "template.metadata.labels")));
}

json::value selector_query(const json::value& object, WallTime) {
  return cells::text(format_label_selector(find(object, "spec.selector")));
}

// "deployment.apps/web"
json::value revision_controller(const json::value& object, WallTime) {
  const json::value* owner = controller_of(object);
  if (owner == nullptr) {
    return cells::text(cells::kNone);
  }
  std::string text = to_lower(get_string(*owner, "kind"));
  const auto group = split_api_version(get_string(*owner, "apiVersion")).group;
  if (!group.empty()) {
    text += "." + std::string(group);
  }
  return cells::text(text + "/" + std::string(get_string(*owner, "name")));
}

json::value job_status(const json::value& job, WallTime) {
  if (cells::condition_is_true(job, "Complete")) {
    return cells::text("Complete");
  }
  if (cells::condition_is_true(job, "Failed")) {
    return cells::text("Failed");
  }
  if (!deletion_timestamp_of(job).empty()) {
    return cells::text("Terminating");
  }
  for (const std::string_view type : {"Suspended", "FailureTarget", "SuccessCriteriaMet"}) {
    if (cells::condition_is_true(job, type)) {
      return cells::text(type);
    }
  }
  return cells::text("Running");
}

json::value job_completions(const json::value& job, WallTime) {
  const std::int64_t succeeded = get_int(job, "status.succeeded");
  if (find(job, "spec.completions") != nullptr) {
    return ratio(succeeded, get_int(job, "spec.completions"));
  }
  std::string text = std::to_string(succeeded) + "/1";
  if (const auto parallelism = get_int(job, "spec.parallelism"); parallelism > 1) {
    text += " of " + std::to_string(parallelism);
  }
  return cells::text(text);
}

json::value job_duration(const json::value& job, WallTime now) {
  auto start = parse_time(get_string(job, "status.startTime"));
  if (!start.ok()) {
    return cells::text("");
  }
  auto end = parse_time(get_string(job, "status.completionTime"));
  return cells::text(human_duration((end.ok() ? *end : now) - *start));
}

json::value cron_time_zone(const json::value& object, WallTime) {
  return cells::string_at(object, "spec.timeZone", cells::kNone);
}

json::value cron_suspend(const json::value& object, WallTime) {
  if (find(object, "spec.suspend") == nullptr) {
    return cells::text(cells::kUnset);
  }
  return cells::text(get_bool(object, "spec.suspend") ? "True" : "False");
}

json::value cron_active(const json::value& object, WallTime) {
  return static_cast<std::int64_t>(get_array(object, "status.active").size());
}

json::value cron_last_schedule(const json::value& object, WallTime now) {
  const std::string_view last = get_string(object, "status.lastScheduleTime");
  return cells::text(last.empty() ? std::string(cells::kNone) : cells::age(last, now));
}

json::value cron_containers(const json::value& object, WallTime) {
  return cells::text(cells::join_members(object, kCronContainers, "name"));
}

json::value cron_images(const json::value& object, WallTime) {
  return cells::text(cells::join_members(object, kCronContainers, "image"));
}

json::value cron_selector(const json::value& object, WallTime) {
  return cells::text(format_label_selector(find(object, "spec.jobTemplate.spec.selector")));
}

constexpr ColumnHook kWorkloadColumns[] = {
    {"deployment.ready", ready_of_desired},
    {"deployment.upToDate", updated_replicas},
    {"deployment.available", available_replicas},
    {"replicas.ready", ready_replicas},
    {"statefulset.ready", ready_of_desired},
    {"daemonset.upToDate", daemons_updated},
    {"daemonset.available", daemons_available},
    {"daemonset.nodeSelector", daemons_node_selector},
    {"template.containers", template_containers},
    {"template.images", template_images},
    {"podtemplate.containers", pod_template_containers},
    {"podtemplate.images", pod_template_images},
    {"podtemplate.labels", pod_template_labels},
    {"selector.query", selector_query},
    {"revision.controller", revision_controller},
};

constexpr ColumnHook kBatchColumns[] = {
    {"job.status", job_status},
    {"job.completions", job_completions},
    {"job.duration", job_duration},
    {"cronjob.timeZone", cron_time_zone},
    {"cronjob.suspend", cron_suspend},
    {"cronjob.active", cron_active},
    {"cronjob.lastSchedule", cron_last_schedule},
    {"cronjob.containers", cron_containers},
    {"cronjob.images", cron_images},
    {"cronjob.selector", cron_selector},
};

}  // namespace

std::span<const ColumnHook> workload_columns() { return kWorkloadColumns; }
std::span<const ColumnHook> batch_columns() { return kBatchColumns; }

}  // namespace coracle::api
