// Time as an argument. Cores take a TimePoint or WallTime; drivers hold a Clock. Only
// base/real_clock.cpp reads the machine's clocks.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.hpp"

namespace coracle {

using Duration = std::chrono::nanoseconds;

struct MonotonicClockTag {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonotonicClockTag, duration>;
  static constexpr bool is_steady = true;
};
// Never goes back; its zero means nothing. For time-outs and intervals.
using TimePoint = MonotonicClockTag::time_point;
// Unix time. For what people and other processes read.
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

// The same moment on both clocks.
struct Instant {
  TimePoint now;
  WallTime wall;
  Instant at(TimePoint t) const { return {t, wall + (t - now)}; }
};

class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
  virtual WallTime wall_now() const = 0;
};

// The machine's clocks. Thread-safe.
const Clock& real_clock();

// RFC 3339 in UTC: "2026-11-21T06:00:00Z", and with microseconds "2026-11-21T06:00:00.000000Z".
std::string format_time(WallTime time);
std::string format_micro_time(WallTime time);
// Accepts fractions and offsets. InvalidArgument otherwise.
Result<WallTime> parse_time(std::string_view text);
// As kubectl prints ages: "0s" "59s" "2m3s" "10m" "3h5m" "26h" "3d4h" "2y1d"; negative:
// "<invalid>".
std::string human_duration(Duration age);
// As Go's time.ParseDuration: "300ms", "1h2m3s", "-1.5h". InvalidArgument otherwise.
Result<Duration> parse_duration(std::string_view text);

}  // namespace coracle
