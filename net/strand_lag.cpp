#include "net/strand_lag.hpp"

#include "base/log.hpp"

namespace coracle::net {
namespace {

constexpr Duration kWorthALine = std::chrono::seconds(1);
constexpr Duration kBetweenLines = std::chrono::seconds(10);

}  // namespace

void measure_lag(AsioExecutor& executor, Metrics& metrics) {
  Histogram& lags = metrics.histogram(
      "strand_lag_seconds", "How late timers ran: what others of the strand made them wait.");
  executor.on_timers([&lags, &executor, next_line = TimePoint{}](Duration late) mutable {
    const double seconds = std::chrono::duration<double>(late).count();
    lags.observe(seconds);
    if (late < kWorthALine || executor.now() < next_line) return;
    next_line = executor.now() + kBetweenLines;
    log::warn("the strand is {:.1f} s behind", seconds);
  });
}

}  // namespace coracle::net
