#include "api/cron_schedule.hpp"

#include <catch2/catch.hpp>

namespace coracle::api {
namespace {

// Central Europe by its rule alone.
TimeZone berlin() {
  std::string data;
  for (int block = 0; block < 2; ++block) {
    data += "TZif2" + std::string(15, '\0');
    for (const char count : {0, 0, 0, 0, 1, 4}) data += std::string(3, '\0') + count;
    data += std::string(2, '\0') + "\x0e\x10" + std::string(2, '\0') + "CET" + '\0';
  }
  return *TimeZone::parse(data + "\nCET-1CEST,M3.5.0,M10.5.0/3\n");
}

TEST_CASE("schedules that are none") {
  const std::pair<const char*, const char*> cases[] = {
      {"nonsense", "expected exactly 5 fields, found 1: [nonsense]"},
      {"60 * * * *", "end of range (60) above maximum (59): 60"},
      {"* * 0 * *", "beginning of range (0) below minimum (1): 0"},
      {"5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"},
      {"*/0 * * * *", "step of range should be a positive number: */0"},
      {"x * * * *", "failed to parse int from x: strconv.Atoi: parsing \"x\": invalid syntax"},
      {"1-2-3 * * * *", "too many hyphens: 1-2-3"},
      {"1/2/3 * * * *", "too many slashes: 1/2/3"},
      {"* * * * 7", "end of range (7) above maximum (6): 7"},
      {"@often", "unrecognized descriptor: @often"},
      {"TZ=UTC * * * * *", "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"},
      {"", "expected exactly 5 fields, found 0: []"},
  };
  for (const auto& [text, message] : cases) {
    CAPTURE(text);
    const auto parsed = CronSchedule::parse(text);
    REQUIRE_FALSE(parsed.ok());
    CHECK(parsed.status().message() == message);
  }
}

TEST_CASE("when it comes next") {
  struct Case {
    const char *schedule, *after, *next;
  };
  const std::vector<Case> cases = {
      {"* * * * *", "2026-01-01T12:00:00Z", "2026-01-01T12:01:00Z"},
      {"* * * * *", "2026-01-01T12:00:00.5Z", "2026-01-01T12:01:00Z"},
      {"* * * * *", "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z"},
      {"*/15 * * * *", "2026-01-01T12:46:00Z", "2026-01-01T13:00:00Z"},
      {"5/20 * * * *", "2026-01-01T12:05:00Z", "2026-01-01T12:25:00Z"},
      {"0 9-17/4 * * *", "2026-01-01T10:00:00Z", "2026-01-01T13:00:00Z"},
      {"30 8 * * MON-FRI", "2026-01-02T09:00:00Z", "2026-01-05T08:30:00Z"},
      {"0 0 1,15 jan-jun *", "2026-06-15T00:00:00Z", "2027-01-01T00:00:00Z"},
      {"0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"},
      {"0 0 13 * FRI", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"},  // either of both
      {"0 0 */2 * FRI", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"},
      {"0 0 ? * 0", "2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z"},
      {"0 0 31 2 *", "2026-01-01T00:00:00Z", ""},
      {"@hourly", "2026-01-01T12:00:00Z", "2026-01-01T13:00:00Z"},
      {"@weekly", "2026-01-01T12:00:00Z", "2026-01-04T00:00:00Z"},
      {"@yearly", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"},
      {"@every 90s", "2026-01-01T12:00:00Z", "2026-01-01T12:01:30Z"},
      {"1\t2  3 4 *", "2026-01-01T12:00:00Z", "2026-04-03T02:01:00Z"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.schedule, c.after);
    const auto next = CronSchedule::parse(c.schedule)->next(*parse_time(c.after), TimeZone());
    CHECK((next ? format_time(*next) : "") == c.next);
  }
}

TEST_CASE("local times, and the days on which clocks are put forward and back") {
  struct Case {
    const char *schedule, *after, *next;
  };
  const std::vector<Case> cases = {
      {"0 12 * * *", "2026-01-01T12:00:00Z", "2026-01-02T11:00:00Z"},
      {"0 12 * * *", "2026-07-01T00:00:00Z", "2026-07-01T10:00:00Z"},
      {"0 0 1 * *", "2026-03-15T00:00:00Z", "2026-03-31T22:00:00Z"},
      // 2:30 does not come on 29 March.
      {"30 2 * * *", "2026-03-28T12:00:00Z", "2026-03-30T00:30:00Z"},
      {"0 * * * *", "2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z"},
      // And comes twice on 25 October.
      {"30 2 * * *", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"},
      {"30 2 * * *", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"},
      {"30 2 * * *", "2026-10-25T01:30:00Z", "2026-10-26T01:30:00Z"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.schedule, c.after);
    const auto next = CronSchedule::parse(c.schedule)->next(*parse_time(c.after), berlin());
    REQUIRE(next);
    CHECK(format_time(*next) == c.next);
  }
}

// The naive twin: every minute is asked.
TEST_CASE("no minute is left out, none is too many") {
  const TimeZone zone = berlin();
  for (const char* text : {"*/7 3-5 * * *", "0 0 28-31 3,10 SUN", "59 23 * * *", "30 2 * 3 *"}) {
    CAPTURE(text);
    const CronSchedule schedule = *CronSchedule::parse(text);
    const WallTime start = *parse_time("2026-03-26T00:00:00Z");
    std::optional<WallTime> expected = schedule.next(start, zone);
    for (int minute = 1; minute < 6 * 24 * 60; ++minute) {
      const WallTime now = start + std::chrono::minutes(minute);
      const auto found = schedule.next(now - std::chrono::seconds(1), zone);
      REQUIRE(found);
      if (expected && now == *expected) {
        CHECK(*found == now);
        expected = schedule.next(now, zone);
      } else {
        CHECK(*found > now - std::chrono::seconds(1));
        CHECK(*found == *expected);
      }
    }
  }
}

}  // namespace
}  // namespace coracle::api
