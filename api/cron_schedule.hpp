// CronSchedule: when spec.schedule of a CronJob comes round. Five fields (minute, hour, day of the
// month, month, day of the week) with lists, ranges, steps and names; @hourly, @daily, ...; and
// @every DURATION. Immutable value. Pure.
//
// Days: when both fields are narrowed, either may match, as in every cron. A time that the clocks
// leap over does not come; one that they repeat comes twice.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/time_zone.hpp"

namespace coracle::api {

class CronSchedule {
 public:
  // InvalidArgument with the words of the parser upstream uses.
  static Result<CronSchedule> parse(std::string_view text);
  // The first moment after that one; nothing when none comes within five years (30 February).
  std::optional<WallTime> next(WallTime after, const TimeZone& zone) const;

 private:
  struct Field {
    std::uint64_t bits = 0;
    bool any = false;  // "*" without a step
    bool has(unsigned value) const { return (bits >> value & 1) != 0; }
  };
  struct Bounds;
  static Result<Field> parse_field(std::string_view text, const Bounds& bounds);
  static Result<CronSchedule> parse_descriptor(std::string_view text);
  bool matches_day(std::chrono::sys_days day) const;

  std::array<Field, 5> fields_;  // minute, hour, day, month, weekday
  std::optional<std::chrono::seconds> every_;
};

}  // namespace coracle::api
