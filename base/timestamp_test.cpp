#include "base/timestamp.hpp"

#include <catch2/catch.hpp>

namespace coracle {
namespace {

TEST_CASE("timestamps reach from year 0 to year 9999") {
  const auto again = [](std::string_view text) {
    const auto time = parse_timestamp(text);
    return time.ok() ? format_micro_timestamp(*time) : std::string("bad");
  };
  CHECK(again("0000-01-01T00:00:00Z") == "0000-01-01T00:00:00.000000Z");
  CHECK(again("0001-01-01T00:00:00.5Z") == "0001-01-01T00:00:00.500000Z");
  CHECK(again("1969-12-31T23:59:59.25Z") == "1969-12-31T23:59:59.250000Z");
  CHECK(again("4007-02-03T04:05:06+01:00") == "4007-02-03T03:05:06.000000Z");
  CHECK(again("9999-12-31T23:59:59.9999999999Z") == "9999-12-31T23:59:59.999999Z");
  CHECK(again("9999-12-31T23:59:59-00:01") == "bad");
  CHECK(again("0000-01-01T00:00:00+00:01") == "bad");
  CHECK(again("2026-02-30T00:00:00Z") == "bad");
}

TEST_CASE("the difference of two wall times always fits") {
  const auto wall = [](std::string_view text) { return *parse_time(text); };
  CHECK(wall("9999-12-31T23:59:59Z") == wall("2190-01-01T00:00:00Z"));
  CHECK(wall("0001-01-01T00:00:00Z") == wall("1900-01-01T00:00:00Z"));
  CHECK(wall("9999-12-31T23:59:59Z") - wall("0001-01-01T00:00:00Z") > Duration::zero());
  CHECK(format_time(wall("2026-11-21T06:00:00.5Z")) == "2026-11-21T06:00:00Z");
  CHECK(format_micro_time(wall("1969-12-31T23:59:59.25Z")) == "1969-12-31T23:59:59.250000Z");
}

}  // namespace
}  // namespace coracle
