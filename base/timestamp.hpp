// Timestamp: a moment of the years 0 to 9999, which is what texts and messages may hold. WallTime
// counts nanoseconds in 64 bits and does not reach that far. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/status.hpp"

namespace coracle {

struct Timestamp {
  std::int64_t seconds = 0;  // since 1970; before it negative
  std::int32_t nanos = 0;    // from 0 to 999,999,999
};
inline constexpr std::int64_t kTimestampMin = -62'167'219'200;  // 0000-01-01T00:00:00Z
inline constexpr std::int64_t kTimestampMax = 253'402'300'799;  // 9999-12-31T23:59:59Z

// As parse_time and format_time.
Result<Timestamp> parse_timestamp(std::string_view text);
std::string format_timestamp(Timestamp time);
std::string format_micro_timestamp(Timestamp time);

Timestamp to_timestamp(WallTime time);
// What is before 1900 or after 2190 becomes the nearest of these: so the difference of any two fits
// a Duration.
WallTime to_wall_time(Timestamp time);

}  // namespace coracle
