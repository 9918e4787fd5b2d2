#include "base/time_zone.hpp"

#include <catch2/catch.hpp>

namespace coracle {
namespace {

std::string number(std::int64_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i) & 0xff);
  return text;
}

// One change at `at` from the first offset to the second; a footer behind the 64-bit block.
std::string tzif(std::int64_t at, int first, int second, const std::string& footer) {
  std::string data;
  for (const int width : {4, 8}) {
    data += "TZif2" + std::string(15, '\0');
    for (const int count : {0, 0, 0, 1, 2, 4}) data += number(count, 4);
    data += number(at, width) + '\1';
    data += number(first, 4) + std::string(2, '\0') + number(second, 4) + std::string(2, '\0');
    data += "ABC" + std::string(1, '\0');
  }
  return data + "\n" + footer + "\n";
}

int hours(const TimeZone& zone, const char* time) {
  return static_cast<int>(zone.offset_at(*parse_time(time)).count() / 3600);
}

TEST_CASE("before, after, and by rule") {
  const std::int64_t change =
      parse_time("2000-01-01T00:00:00Z")->time_since_epoch().count() / 1'000'000'000;
  const TimeZone fixed = *TimeZone::parse(tzif(change, -3600, 7200, ""));
  CHECK(hours(fixed, "1999-12-31T23:59:59Z") == -1);
  CHECK(hours(fixed, "2000-01-01T00:00:00Z") == 2);
  CHECK(hours(TimeZone(), "2000-01-01T00:00:00Z") == 0);

  struct Case {
    const char *rule, *time;
    int offset;
  };
  const std::vector<Case> cases = {
      {"CET-1CEST,M3.5.0,M10.5.0/3", "2026-03-29T00:59:59Z", 1},
      {"CET-1CEST,M3.5.0,M10.5.0/3", "2026-03-29T01:00:00Z", 2},
      {"CET-1CEST,M3.5.0,M10.5.0/3", "2026-10-25T00:59:59Z", 2},
      {"CET-1CEST,M3.5.0,M10.5.0/3", "2026-10-25T01:00:00Z", 1},
      {"EST5EDT,M3.2.0,M11.1.0", "2040-03-11T06:59:59Z", -5},
      {"EST5EDT,M3.2.0,M11.1.0", "2040-03-11T07:00:00Z", -4},
      {"AEST-10AEDT,M10.1.0,M4.1.0/3", "2026-01-15T00:00:00Z", 11},  // summer over new year
      {"AEST-10AEDT,M10.1.0,M4.1.0/3", "2026-07-15T00:00:00Z", 10},
      {"<+07>-7", "2026-07-15T00:00:00Z", 7},
      {"XXX3YYY,J60,J300", "2028-02-29T12:00:00Z", -3},  // J60 is 1 March, always
      {"XXX3YYY,J60,J300", "2028-03-01T12:00:00Z", -2},
      {"XXX3YYY,59,300", "2028-02-29T12:00:00Z", -2},
  };
  for (const Case& c : cases) {
    CAPTURE(c.rule, c.time);
    CHECK(hours(*TimeZone::parse(tzif(change, 0, 0, c.rule)), c.time) == c.offset);
  }
}

TEST_CASE("what is no time zone") {
  const std::string good = tzif(0, 0, 3600, "CET-1");
  for (const std::string& bad : {std::string(), std::string("TZif2"), good.substr(0, 60),
                                 std::string("XXif") + good.substr(4),
                                 good.substr(0, 20) + "\x7f\xff\xff\xff" + good.substr(24)}) {
    CHECK_FALSE(TimeZone::parse(bad).ok());
  }
  // Cut anywhere it is refused, or read without its rule; never more than is there.
  for (size_t n = 0; n < good.size(); ++n) (void)TimeZone::parse(good.substr(0, n));
}

TEST_CASE("the system's zones") {
  const TimeZones zones = load_time_zones();
  REQUIRE(zones.contains("UTC"));
  if (!zones.contains("Europe/Berlin")) return;  // no tzdata here
  CHECK(hours(zones.at("Europe/Berlin"), "2026-01-01T00:00:00Z") == 1);
  CHECK(hours(zones.at("Europe/Berlin"), "2026-07-01T00:00:00Z") == 2);
  CHECK(hours(zones.at("America/New_York"), "2050-07-01T00:00:00Z") == -4);
  CHECK(zones.at("Asia/Kathmandu").offset_at(*parse_time("2026-01-01T00:00:00Z")) ==
        std::chrono::minutes(5 * 60 + 45));
}

}  // namespace
}  // namespace coracle
