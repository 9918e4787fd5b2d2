// Timestamps and durations as CEL sees them: years 1 to 9999, and +-292 years in nanoseconds. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/cel/value.hpp"

namespace coracle::api::cel {

struct Civil {
  std::int64_t year;
  int month, day;  // from 1
  int hour, minute, second;
  int weekday;   // 0 is Sunday
  int year_day;  // from 0
};

inline constexpr std::int64_t kMomentMin = -62135596800;  // 0001-01-01T00:00:00Z
inline constexpr std::int64_t kMomentMax = 253402300799;  // 9999-12-31T23:59:59Z

// RFC 3339 with up to nine digits of a second.
std::optional<Moment> parse_moment(std::string_view text);
std::string format_moment(Moment moment);
Civil civil_of(Moment moment, std::int64_t offset_seconds);
// "UTC", "+01:30", "-02:00"; names of places are not known.
std::optional<std::int64_t> parse_offset(std::string_view zone);
// "3600s", "0.5s": seconds.
std::string format_span(std::int64_t nanos);

// nullopt: out of range.
std::optional<Moment> add_span(Moment moment, std::int64_t nanos);
std::optional<std::int64_t> difference(Moment a, Moment b);

}  // namespace coracle::api::cel
