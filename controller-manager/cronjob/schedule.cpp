#include "cronjob/schedule.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/object.hpp"
#include "controllers/pods.hpp"

namespace coracle::controllers::cron_job {
namespace {

using std::chrono::seconds;

// Just after the moment, so that clocks that differ a little do not wake us too soon.
constexpr Duration kAfterTheMoment = std::chrono::milliseconds(100);

struct Missed {
  WallTime since;                // nothing before is looked at
  std::optional<WallTime> last;  // the latest run between that and now
  std::int64_t count = 0;
  bool never = false;
};

Missed missed(const json::value& cron_job, const api::CronSchedule& schedule, const TimeZone& zone,
              WallTime now, bool within_deadline) {
  Missed out;
  out.since = time_at(cron_job, "metadata.creationTimestamp").value_or(now);
  if (const auto last = time_at(cron_job, "status.lastScheduleTime")) out.since = *last;
  const json::value* deadline = find(cron_job, "spec.startingDeadlineSeconds");
  if (within_deadline && deadline != nullptr && deadline->is_int64()) {
    out.since = std::max(out.since, now - seconds(deadline->get_int64()));
  }
  const auto first = schedule.next(out.since, zone);
  const auto second = first ? schedule.next(*first, zone) : std::nullopt;
  out.never = !second;
  if (!second || now < *first) return out;
  out.last = first;
  out.count = 1;
  if (now < *second) return out;
  // Runs are about as far apart as the first two: leap close to now, and go on from there.
  const auto apart = std::max(*second - *first, Duration(seconds(1)));
  out.count = (now - *first) / apart + 1;
  const WallTime near = *first + apart * std::max<std::int64_t>(out.count - 2, 0);
  for (auto t = schedule.next(near, zone); t && *t <= now; t = schedule.next(*t, zone)) {
    out.last = t;
  }
  return out;
}

}  // namespace

Due due(const json::value& cron_job, const api::CronSchedule& schedule, const TimeZone& zone,
        WallTime now) {
  const Missed found = missed(cron_job, schedule, zone, now, true);
  return {found.last, found.count > kMissedMax, found.never};
}

Duration until_next(const json::value& cron_job, const api::CronSchedule& schedule,
                    const TimeZone& zone, WallTime now) {
  const Missed found = missed(cron_job, schedule, zone, now, false);
  const auto next = schedule.next(found.last.value_or(found.since), zone);
  return next ? std::max(*next + kAfterTheMoment - now, Duration(0)) : std::chrono::hours(24);
}

std::string job_name(const json::value& cron_job, WallTime scheduled) {
  const auto minutes =
      std::chrono::floor<std::chrono::minutes>(scheduled.time_since_epoch()).count();
  return fmt::format("{}-{}", api::name_of(cron_job), minutes);
}

std::string long_time(WallTime time) {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::string iso = format_time(time);
  return fmt::format("{}, {:02} {} {} {} +0000", kDays[std::chrono::weekday(day).c_encoding()],
                     static_cast<unsigned>(date.day()),
                     kMonths[static_cast<unsigned>(date.month()) - 1],
                     static_cast<int>(date.year()), iso.substr(11, 8));
}

std::string local_time(WallTime time, const TimeZone& zone) {
  const auto offset = zone.offset_at(time).count();
  std::string text = format_time(time + seconds(offset));
  if (offset == 0) return text;
  text.pop_back();  // Z
  const auto away = offset < 0 ? -offset : offset;
  return text + fmt::format("{}{:02}:{:02}", offset < 0 ? '-' : '+', away / 3600, away / 60 % 60);
}

}  // namespace coracle::controllers::cron_job
