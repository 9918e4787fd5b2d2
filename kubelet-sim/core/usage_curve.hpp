// UsageCurve: how much of something (cores, bytes) a scripted container uses over its life: points
// in time since its start, straight lines between them, the last value for ever. Pure value.
#pragma once

#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"

namespace coracle::kubelet {

class UsageCurve {
 public:
  UsageCurve() = default;  // nothing at all
  // A quantity ("20m"), or a map of times to quantities ({0s: 20m, 1m: 500m}; before the first it
  // has its value). InvalidArgument says what is wrong, without naming the field.
  static Result<UsageCurve> parse(const json::value& value);

  double at(Duration age) const;
  // Of the curve from the start: core-seconds, for CPU.
  double sum_until(Duration age) const;
  // When it first is over the limit; nothing: never.
  std::optional<Duration> first_above(double limit) const;
  // Cut off at the limit, as a container's CPU is.
  UsageCurve capped(double limit) const;

 private:
  struct Point {
    double seconds = 0, value = 0;
  };
  std::vector<Point> points_;  // the first at 0, ascending; empty: 0
};

}  // namespace coracle::kubelet
