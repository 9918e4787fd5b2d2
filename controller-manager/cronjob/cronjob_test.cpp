#include "cronjob/cronjob.hpp"

#include <catch2/catch.hpp>

#include "api/object.hpp"
#include "base/yaml.hpp"
#include "controller_testing/cluster.hpp"
#include "controllers/pods.hpp"

using namespace coracle;
using namespace coracle::controllers;
using Strings = std::vector<std::string>;
using namespace std::chrono_literals;

namespace {

// One zone, an hour east of the rest.
TimeZones zones() {
  std::string data = "TZif" + std::string(16, '\0');
  for (const char count : {0, 0, 0, 0, 1, 4}) data += std::string(3, '\0') + count;
  data += std::string(2, '\0') + "\x0e\x10" + std::string(2, '\0') + "CET" + '\0';
  return {{"Europe/Here", *TimeZone::parse(data)}};
}

const CronJobController kController(zones());

struct Cron : testing::Cluster {
  explicit Cron(const std::string& spec = "{}") : Cluster(kController) {
    put(gvr::kCronJobs, R"(
apiVersion: batch/v1
kind: CronJob
metadata: {name: tick, uid: cron-uid, generation: 1, creationTimestamp: 2026-01-01T11:58:30Z}
spec:
  schedule: '*/5 * * * *'
  concurrencyPolicy: Allow
  successfulJobsHistoryLimit: 2
  failedJobsHistoryLimit: 1
  jobTemplate:
    metadata: {labels: {a: b}, annotations: {c: d}}
    spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox}]}}}
)");
    const json::value changes = *parse_yaml_one(spec);
    for (const auto& [key, value] : changes.get_object()) {
      set_path(at("cronjobs/tick"), "spec." + std::string(key), value);
    }
  }
  Strings settle() { return Cluster::settle("ns/tick"); }
  void end(const std::string& name, const char* type) {
    json::value& job = at("jobs/" + name);
    set_path(job, "status.conditions",
             json::array({json::object({{"type", type}, {"status", "True"}})}));
    set_path(job, "status.startTime", json::value(api::creation_timestamp_of(job)));
    set_path(job, "status.completionTime", json::value(format_time(wall)));
  }
  std::string status() { return to_json(json::value(get_object(at("cronjobs/tick"), "status"))); }
  std::string last_run() {
    return std::string(get_string(at("cronjobs/tick"), "status.lastScheduleTime"));
  }
  size_t active() { return get_array(at("cronjobs/tick"), "status.active").size(); }
};

std::string of_minute(const char* time) {
  return "tick-" + std::to_string(parse_time(time)->time_since_epoch() / std::chrono::minutes(1));
}
const std::string kNoon = of_minute("2026-01-01T12:00:00Z");

}  // namespace

TEST_CASE("a job for the minute, controlled and marked; then it waits for the next") {
  Cron c;
  CHECK(c.step("ns/tick") == Strings{"create jobs/" + kNoon});
  const json::value& job = c.at("jobs/" + kNoon);
  CHECK(api::annotation_of(job, "batch.kubernetes.io/cronjob-scheduled-timestamp") ==
        "2026-01-01T12:00:00Z");
  CHECK(api::annotation_of(job, "c") == "d");
  CHECK(api::label_of(job, "a") == "b");
  CHECK(get_string(*api::controller_of(job), "kind") == "CronJob");
  CHECK(get_string(job, "spec.template.spec.restartPolicy") == "Never");
  CHECK(*c.last.again_after == 5min + 100ms);
  CHECK(c.step("ns/tick") == Strings{"status"});
  CHECK(c.active() == 1);
  CHECK(c.last_run() == "2026-01-01T12:00:00Z");
  CHECK(c.settle().empty());
  CHECK(c.told == Strings{"SuccessfulCreate: Created job {name}"});
}

TEST_CASE("when the job is over") {
  Cron c;
  c.settle();
  c.wall += 30s;
  c.end(kNoon, "Complete");
  c.settle();
  CHECK(c.told.back() == "SawCompletedJob: Saw completed job: " + kNoon + ", condition: Complete");
  CHECK(c.status() == R"({"lastScheduleTime":"2026-01-01T12:00:00Z",)"
                      R"("lastSuccessfulTime":"2026-01-01T12:00:30Z"})");
}

TEST_CASE("runs that were missed: only the last is made up for") {
  struct Case {
    const char *name, *spec, *now, *job;
    Strings told;
  };
  const std::vector<Case> cases = {
      {"not yet", "{schedule: '1 * * * *'}", "2026-01-01T12:00:00Z", "", {}},
      {"some", "{}", "2026-01-01T12:17:00Z", "2026-01-01T12:15:00Z", {}},
      {"too many to be right",
       "{schedule: '* * * * *'}",
       "2026-01-01T18:00:30Z",
       "2026-01-01T18:00:00Z",
       {"TooManyMissedTimes: too many missed start times. Set or decrease "
        ".spec.startingDeadlineSeconds or check clock skew"}},
      {"many, with a deadline",
       "{schedule: '* * * * *', startingDeadlineSeconds: 60}",
       "2026-01-01T18:00:30Z",
       "2026-01-01T18:00:00Z",
       {}},
      {"beyond the deadline there is no run",
       "{startingDeadlineSeconds: 60}",
       "2026-01-01T12:03:00Z",
       "",
       {}},
      {"suspended", "{suspend: true}", "2026-01-01T12:17:00Z", "", {}},
      {"an uneven schedule",
       "{schedule: '30 6-16/4 * * 1-5'}",
       "2026-01-05T11:00:00Z",
       "2026-01-05T10:30:00Z",
       {}},
      {"every so often",
       "{schedule: '@every 1h'}",
       "2026-01-01T13:59:00Z",
       "2026-01-01T13:58:30Z",
       {}},
      {"a moment that never comes",
       "{schedule: '0 0 31 2 *'}",
       "2026-01-01T12:17:00Z",
       "",
       {"InvalidSchedule: invalid schedule schedule: 0 0 31 2 * : time difference between two "
        "schedules is less than 1 second"}},
      {"not a schedule",
       "{schedule: nonsense}",
       "2026-01-01T12:17:00Z",
       "",
       {"UnparseableSchedule: unparseable schedule: \"nonsense\" : expected exactly 5 fields, "
        "found 1: [nonsense]"}},
      {"no such zone",
       "{timeZone: Mars/Base}",
       "2026-01-01T12:17:00Z",
       "",
       {"UnknownTimeZone: invalid timeZone: \"Mars/Base\": unknown time zone Mars/Base"}},
  };
  for (const Case& k : cases) {
    CAPTURE(k.name);
    Cron c(k.spec);
    c.wall = *parse_time(k.now);
    const Strings done = c.step("ns/tick");
    CHECK(done == (*k.job != 0 ? Strings{"create jobs/" + of_minute(k.job)} : Strings{}));
    if (*k.job != 0) c.told.pop_back();  // that it was created
    CHECK(c.told == k.told);
  }
}

TEST_CASE("local time: noon there is eleven here, and the job says so") {
  Cron c("{schedule: '0 13 * * *', timeZone: Europe/Here}");
  c.wall = *parse_time("2026-01-01T12:00:00Z");
  c.settle();
  CHECK(api::annotation_of(c.at("jobs/" + kNoon),
                           "batch.kubernetes.io/cronjob-scheduled-timestamp") ==
        "2026-01-01T13:00:00+01:00");
  CHECK(c.last_run() == "2026-01-01T12:00:00Z");
}

TEST_CASE("what happens while the last one still runs") {
  struct Case {
    const char* policy;
    Strings done;
    size_t active;
    const char* told;
  };
  const std::string next = of_minute("2026-01-01T12:05:00Z");
  const std::vector<Case> cases = {
      {"Allow", {"create jobs/" + next, "status"}, 2, "SuccessfulCreate: Created job {name}"},
      {"Forbid",
       {},
       1,
       "JobAlreadyActive: Not starting job because prior execution is running and concurrency "
       "policy is Forbid"},
      {"Replace",
       {"status", "delete jobs/" + kNoon, "create jobs/" + next, "status"},
       1,
       "SuccessfulCreate: Created job {name}"},
  };
  for (const Case& k : cases) {
    CAPTURE(k.policy);
    Cron c(std::string("{concurrencyPolicy: ") + k.policy + "}");
    c.settle();
    c.wall += 5min;
    CHECK(c.settle() == k.done);
    CHECK(c.active() == k.active);
    CHECK(c.told.back() == k.told);
  }
}

TEST_CASE("a run that was forbidden begins when the other one ends") {
  Cron c("{concurrencyPolicy: Forbid}");
  c.settle();
  c.wall += 6min;
  c.settle();
  c.end(kNoon, "Failed");
  CHECK(c.step("ns/tick").back() == "create jobs/" + of_minute("2026-01-01T12:05:00Z"));
}

TEST_CASE("the oldest that are over go; those that run stay") {
  Cron c;
  for (int i = 0; i < 5; ++i) {
    c.settle();
    const auto names = c.names("jobs");
    if (i < 4) c.end(names.back(), i == 1 ? "Failed" : "Complete");
    c.wall += 5min;
  }
  c.settle();
  CHECK(c.names("jobs") ==
        Strings{of_minute("2026-01-01T12:05:00Z"), of_minute("2026-01-01T12:10:00Z"),
                of_minute("2026-01-01T12:15:00Z"), of_minute("2026-01-01T12:20:00Z"),
                of_minute("2026-01-01T12:25:00Z")});
}

TEST_CASE("jobs of people: told of, not counted; lost ones are told of too") {
  Cron c("{suspend: true}");
  c.put(gvr::kJobs,
        "{metadata: {name: now, uid: j, annotations: {cronjob.kubernetes.io/instantiate: "
        "manual}, ownerReferences: [{kind: CronJob, name: tick, uid: cron-uid, "
        "controller: true}]}}");
  set_path(c.at("cronjobs/tick"), "status.active", *parse_yaml_one("[{name: tick-1, uid: gone}]"));
  CHECK(c.step("ns/tick") == Strings{"status"});
  CHECK(c.active() == 0);
  CHECK(c.told ==
        Strings{"UnexpectedJob: Saw a job that the controller did not create or forgot: now",
                "MissingJob: Active job went missing: tick-1"});
}

TEST_CASE("too late to start") {
  Cron c("{startingDeadlineSeconds: 600}");
  c.settle();
  // Its clock was put back: the run it would make up for is of long ago.
  set_path(c.at("cronjobs/tick"), "spec.startingDeadlineSeconds", json::value(0));
  c.wall = *parse_time("2026-01-01T12:05:00.5Z");
  CHECK(c.settle().empty());
}

TEST_CASE("none twice: the job of that minute is there, or was") {
  Cron c;
  c.settle();
  c.objects.erase("jobs/" + kNoon);
  CHECK(c.settle() == Strings{"status"});
  CHECK(c.told.back() == "MissingJob: Active job went missing: " + kNoon);
}
