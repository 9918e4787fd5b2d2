// Which run is due, and when to look again. Pure (upstream: pkg/controller/cronjob/utils.go).
#pragma once

#include <optional>
#include <string>

#include "api/cron_schedule.hpp"
#include "base/clock.hpp"
#include "base/json.hpp"

namespace coracle::controllers::cron_job {

// More than so many missed runs are told about; only the last one is made up for.
inline constexpr std::int64_t kMissedMax = 100;

struct Due {
  std::optional<WallTime> time;  // the last run that should have begun and has not
  bool too_many_missed = false;
  bool never = false;  // the schedule names moments that do not exist
};
Due due(const json::value& cron_job, const api::CronSchedule& schedule, const TimeZone& zone,
        WallTime now);
// Until the next run.
Duration until_next(const json::value& cron_job, const api::CronSchedule& schedule,
                    const TimeZone& zone, WallTime now);
// "tick-29340124": of the minute.
std::string job_name(const json::value& cron_job, WallTime scheduled);
// "Thu, 01 Jan 2026 12:00:00 +0000"
std::string long_time(WallTime time);
// "2026-01-01T12:00:00+01:00"
std::string local_time(WallTime time, const TimeZone& zone);

}  // namespace coracle::controllers::cron_job
