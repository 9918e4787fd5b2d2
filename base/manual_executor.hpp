// ManualExecutor: an Executor on virtual time, for unit tests. Nothing runs until the test says so;
// equal deadlines run in the order they were set. Same calls, same order, on every run.
//
// One thread. Work posted while running is run in the same call. Bound: run_until_idle gives up
// with a CHECK after kMaxSteps (two parts that wake each other for ever are a bug).
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <utility>

#include "base/executor.hpp"

namespace coracle {

class ManualExecutor final : public Executor {
 public:
  // 2026-01-01T00:00:00Z unless told otherwise; now() starts at 1 h, so that "long ago" exists.
  explicit ManualExecutor(WallTime start = WallTime(std::chrono::seconds(1767225600)));
  ~ManualExecutor();  // drops what is left, which may still post and cancel meanwhile

  TimePoint now() const override { return now_; }
  WallTime wall_now() const override { return wall_; }
  void post(std::function<void()> work) override;
  TimerId after(Duration delay, std::function<void()> work) override;
  void cancel(TimerId timer) override;

  // Everything posted, and what that posts; no time passes.
  void run_ready();
  // Lets `span` pass: timers fire at their time, in order, with everything they post.
  void advance(Duration span);
  // Moves on (timers included) until `done` or until `limit` of virtual time has passed.
  // True when `done`.
  bool run_until(const std::function<bool()>& done, Duration limit = std::chrono::minutes(10));
  // For work that takes its time: the clocks move on, timers that become due run late.
  void busy(Duration span) {
    now_ += span;
    wall_ += span;
  }
  // The wall clock jumps; timers do not notice.
  void shift_wall(Duration by) { wall_ += by; }
  size_t pending_timers() const { return timers_.size(); }

  static constexpr int kMaxSteps = 10'000'000;

 private:
  using Due = std::pair<TimePoint, TimerId>;
  void run_next_timer();

  TimePoint now_{std::chrono::hours(1)};
  WallTime wall_;
  TimerId next_id_ = 1;
  std::deque<std::function<void()>> posted_;
  std::map<Due, std::function<void()>> timers_;
  std::map<TimerId, TimePoint> deadlines_;
};

}  // namespace coracle
