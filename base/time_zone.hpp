// TimeZone: how far local time is from UTC, by moment. Parsed from TZif data (RFC 8536), with the
// rule behind the last listed change. Immutable value. Pure, but for load_time_zones().
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"

namespace coracle {

class TimeZone {
 public:
  TimeZone() = default;  // UTC
  // InvalidArgument when it is not TZif, or damaged. Bound: what the data's own counts say, checked
  // against its size.
  static Result<TimeZone> parse(std::string_view tzif);
  std::chrono::seconds offset_at(WallTime time) const;

 private:
  struct Change {
    std::int64_t at = 0, offset = 0;  // seconds
  };
  // A day of the year in a POSIX TZ rule, with a time of day in seconds.
  struct RuleDay {
    char form = 'M';  // M month.week.weekday, J 1..365 without leap day, D 0..365
    int month = 1, week = 1, day = 0;
    std::int64_t seconds = 7200;
  };
  struct Rule {
    std::int64_t standard = 0, summer = 0;
    bool has_summer = false;
    RuleDay begin, end;
  };
  static Result<Rule> parse_rule(std::string_view text);
  static std::optional<RuleDay> parse_rule_day(std::string_view& text);
  static std::int64_t offset_by_rule(const Rule& rule, std::int64_t time);

  std::int64_t first_offset_ = 0;  // before the first change
  std::vector<Change> changes_;    // ascending
  std::optional<Rule> rule_;       // after the last change
};

using TimeZones = std::map<std::string, TimeZone, std::less<>>;
// The system's time zone database by name ("Europe/Berlin"; always with "UTC"). What cannot be read
// is left out.
TimeZones load_time_zones(const std::string& folder = "/usr/share/zoneinfo");

}  // namespace coracle
