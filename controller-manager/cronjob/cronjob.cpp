#include "cronjob/cronjob.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/object.hpp"
#include "base/strings.hpp"
#include "controllers/pods.hpp"
#include "cronjob/schedule.hpp"

namespace coracle::controllers {
namespace {

using namespace cron_job;

constexpr char kScheduledAt[] = "batch.kubernetes.io/cronjob-scheduled-timestamp";

// "Complete" or "Failed"; empty while it runs.
std::string_view end_of(const json::value& job) {
  for (const char* type : {"Complete", "Failed"}) {
    const json::value* c = condition(job, type);
    if (c != nullptr && get_string(*c, "status") == "True") return type;
  }
  return {};
}

// The run a job was made for; nothing for jobs that somebody else made.
std::optional<WallTime> scheduled_at(const json::value& cron_job, const json::value& job) {
  const auto time = parse_time(api::annotation_of(job, kScheduledAt));
  if (!time.ok() || api::name_of(job) != job_name(cron_job, *time)) return std::nullopt;
  return *time;
}

json::object reference_to(const json::value& job) {
  return {{"apiVersion", "batch/v1"},
          {"kind", "Job"},
          {"name", api::name_of(job)},
          {"namespace", api::namespace_of(job)},
          {"resourceVersion", api::resource_version_of(job)},
          {"uid", api::uid_of(job)}};
}

void remove_job(const json::value& job, Plan* plan) {
  Write& write = plan->remove(gvr::kJobs, job);
  write.delete_options.propagation_policy = "Background";
  write.done_reason = "SuccessfulDelete";
  write.done_message = fmt::format("Deleted job {}", api::name_of(job));
  write.failed_reason = "FailedDelete";
  write.failed_message = "Deleted job: ";
}

// The status as it follows from the jobs that are there.
class Book {
 public:
  Book(const json::value& cron_job, const std::vector<ObjectPtr>& jobs, Plan* plan)
      : cron_job_(cron_job), jobs_(jobs), plan_(plan), status_(get_object(cron_job, "status")) {
    for (const json::value& reference : get_array(cron_job, "status.active")) {
      active_.push_back(reference);
    }
    for (const ObjectPtr& job : jobs) enter(*job);
    drop_missing();
  }
  std::vector<ObjectPtr> active() const {
    std::vector<ObjectPtr> found;
    for (const ObjectPtr& job : jobs_) {
      if (is_active(*job)) found.push_back(job);
    }
    return found;
  }
  bool is_last(WallTime scheduled) const {
    return get_string(status_, "lastScheduleTime") == format_time(scheduled);
  }
  // The status without the job: it is about to be deleted.
  void strike(const json::value& job) {
    std::erase_if(active_, [&](const json::value& reference) {
      return get_string(reference, "uid") == api::uid_of(job);
    });
  }
  void write_down() {
    json::object next = status_.get_object();
    if (active_.empty()) {
      erase_key(next, "active");
    } else {
      next["active"] = json::array(active_.begin(), active_.end());
    }
    if (next == get_object(cron_job_, "status")) return;
    json::value changed = cron_job_;
    changed.get_object()["status"] = std::move(next);
    plan_->update_status(gvr::kCronJobs, std::move(changed));
  }

 private:
  bool is_active(const json::value& job) const {
    return std::any_of(active_.begin(), active_.end(), [&](const json::value& reference) {
      return get_string(reference, "uid") == api::uid_of(job);
    });
  }
  void enter(const json::value& job) {
    const std::string_view end = end_of(job);
    const auto scheduled = scheduled_at(cron_job_, job);
    if (scheduled) advance("lastScheduleTime", *scheduled);
    if (!end.empty() && is_active(job)) {
      strike(job);
      plan_->note("SawCompletedJob",
                  fmt::format("Saw completed job: {}, condition: {}", api::name_of(job), end));
    } else if (end.empty() && !is_active(job)) {
      if (scheduled) {
        if (!is_deleting(job)) active_.emplace_back(reference_to(job));
      } else {
        plan_->warn("UnexpectedJob",
                    fmt::format("Saw a job that the controller did not create or forgot: {}",
                                api::name_of(job)));
      }
    }
    if (end == "Complete") {
      if (const auto at = time_at(job, "status.completionTime")) advance("lastSuccessfulTime", *at);
    }
  }
  void advance(const char* field, WallTime time) {
    const auto had = time_at(status_, field);
    if (!had || *had < time) status_.get_object()[field] = format_time(time);
  }
  void drop_missing() {
    std::erase_if(active_, [&](const json::value& reference) {
      const bool there = std::any_of(jobs_.begin(), jobs_.end(), [&](const ObjectPtr& job) {
        return api::uid_of(*job) == get_string(reference, "uid");
      });
      if (!there) {
        plan_->note("MissingJob",
                    fmt::format("Active job went missing: {}", get_string(reference, "name")));
      }
      return !there;
    });
  }

  const json::value& cron_job_;
  const std::vector<ObjectPtr>& jobs_;
  Plan* plan_;
  json::value status_;
  std::vector<json::value> active_;
};

// The oldest that are over, beyond the limits for good and for bad ends.
void trim(const json::value& cron_job, const std::vector<ObjectPtr>& jobs, Plan* plan) {
  struct Limit {
    const char *end, *field;
  };
  for (const Limit& limit : {Limit{"Complete", "spec.successfulJobsHistoryLimit"},
                             Limit{"Failed", "spec.failedJobsHistoryLimit"}}) {
    const json::value* most = find(cron_job, limit.field);
    if (most == nullptr || !most->is_int64()) continue;
    std::vector<ObjectPtr> over;
    for (const ObjectPtr& job : jobs) {
      if (end_of(*job) == limit.end && !is_deleting(*job)) over.push_back(job);
    }
    std::stable_sort(over.begin(), over.end(), [](const ObjectPtr& a, const ObjectPtr& b) {
      return get_string(*a, "status.startTime") < get_string(*b, "status.startTime");
    });
    const auto keep = static_cast<size_t>(std::max<std::int64_t>(most->get_int64(), 0));
    for (size_t i = 0; i + keep < over.size(); ++i) remove_job(*over[i], plan);
  }
}

json::value new_job(const json::value& cron_job, WallTime scheduled, const TimeZone& zone) {
  const json::value made_from = get_object(cron_job, "spec.jobTemplate");
  json::value job = json::object();
  set_path(job, "apiVersion", json::value("batch/v1"));
  set_path(job, "kind", json::value("Job"));
  set_path(job, "metadata.name", json::value(job_name(cron_job, scheduled)));
  set_path(job, "metadata.namespace", json::value(api::namespace_of(cron_job)));
  if (const json::value* labels = find(made_from, "metadata.labels")) {
    set_path(job, "metadata.labels", *labels);
  }
  set_path(job, "metadata.annotations", get_object(made_from, "metadata.annotations"));
  api::set_annotation(job, kScheduledAt, local_time(scheduled, zone));
  json::array owners;
  owners.push_back(api::controller_reference(cron_job));
  set_path(job, "metadata.ownerReferences", std::move(owners));
  set_path(job, "spec", get_object(made_from, "spec"));
  return job;
}

void start_job(const json::value& cron_job, WallTime scheduled, const TimeZone& zone, Plan* plan) {
  Write& write = plan->create(gvr::kJobs, new_job(cron_job, scheduled, zone));
  write.exists_is_fine = true;
  write.done_reason = "SuccessfulCreate";
  write.done_message = "Created job {name}";
  write.failed_reason = "FailedCreate";
  write.failed_message = "Error creating job: ";
}

// Whether the run may begin now; with Replace, what runs is stopped for it.
bool may_start(const World& world, const json::value& cron_job, WallTime scheduled, Instant now,
               Book* book, std::vector<ObjectPtr>* replaced, Plan* plan) {
  const json::value* deadline = find(cron_job, "spec.startingDeadlineSeconds");
  if (deadline != nullptr && deadline->is_int64() &&
      scheduled + std::chrono::seconds(deadline->get_int64()) < now.wall) {
    plan->warn("MissSchedule",
               fmt::format("Missed scheduled time to start a job: {}", long_time(scheduled)));
    return false;
  }
  const bool there = world.get(gvr::kJobs, std::string(api::namespace_of(cron_job)),
                               job_name(cron_job, scheduled)) != nullptr;
  if (there || book->is_last(scheduled)) return false;
  const auto active = book->active();
  const std::string_view policy = get_string(cron_job, "spec.concurrencyPolicy");
  if (policy == "Forbid" && !active.empty()) {
    plan->note("JobAlreadyActive",
               "Not starting job because prior execution is running and concurrency policy is "
               "Forbid");
    return false;
  }
  if (policy == "Replace") *replaced = active;
  return true;
}

struct Timing {
  api::CronSchedule schedule;
  TimeZone zone;
};
// Nothing when it cannot be read; that is told.
std::optional<Timing> timing_of(const json::value& cron_job, const TimeZones& zones, Plan* plan) {
  Timing timing;
  if (const std::string_view name = get_string(cron_job, "spec.timeZone"); !name.empty()) {
    const auto zone = zones.find(name);
    if (zone == zones.end()) {
      plan->warn("UnknownTimeZone",
                 fmt::format("invalid timeZone: {}: unknown time zone {}", quoted(name), name));
      return std::nullopt;
    }
    timing.zone = zone->second;
  }
  const std::string_view text = get_string(cron_job, "spec.schedule");
  auto schedule = api::CronSchedule::parse(text);
  if (!schedule.ok()) {
    plan->warn("UnparseableSchedule", fmt::format("unparseable schedule: {} : {}", quoted(text),
                                                  schedule.status().message()));
    return std::nullopt;
  }
  timing.schedule = *std::move(schedule);
  return timing;
}

}  // namespace

void CronJobController::touched(const World&, const client::Gvr& gvr, const json::value* before,
                                const json::value* after, const Enqueue& enqueue) const {
  if (gvr == gvr::kCronJobs) {
    return enqueue(client::object_key(after != nullptr ? *after : *before));
  }
  for (const json::value* job : {before, after}) {
    if (job != nullptr) enqueue_owner(*job, "CronJob", enqueue);
  }
}

Plan CronJobController::reconcile(const World& world, const std::string& key, Instant now) const {
  Plan plan;
  const auto [ns, name] = split_key(key);
  const ObjectPtr cron_job = world.get(gvr::kCronJobs, ns, name);
  if (cron_job == nullptr) return plan;
  plan.about = cron_job;
  const auto jobs =
      world.of(gvr::kJobs).by_index(kControllerIndex, std::string(api::uid_of(*cron_job)));
  trim(*cron_job, jobs, &plan);
  Book book(*cron_job, jobs, &plan);
  std::optional<Timing> timing;
  if (!is_deleting(*cron_job) && !get_bool(*cron_job, "spec.suspend")) {
    timing = timing_of(*cron_job, zones_, &plan);
  }
  if (!timing) {
    book.write_down();
    return plan;
  }
  const Due run = due(*cron_job, timing->schedule, timing->zone, now.wall);
  if (run.too_many_missed) {
    plan.warn("TooManyMissedTimes",
              "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check "
              "clock skew");
  }
  if (run.never) {
    plan.warn("InvalidSchedule",
              fmt::format("invalid schedule schedule: {} : time difference between two schedules "
                          "is less than 1 second",
                          get_string(*cron_job, "spec.schedule")));
  }
  std::vector<ObjectPtr> replaced;
  const bool start =
      run.time && may_start(world, *cron_job, *run.time, now, &book, &replaced, &plan);
  for (const ObjectPtr& job : replaced) book.strike(*job);
  book.write_down();
  for (const ObjectPtr& job : replaced) remove_job(*job, &plan);
  if (start) start_job(*cron_job, *run.time, timing->zone, &plan);
  plan.look_again(until_next(*cron_job, timing->schedule, timing->zone, now.wall));
  return plan;
}

}  // namespace coracle::controllers
