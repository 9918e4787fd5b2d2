// ManualExecutor: an Executor for tests, on virtual time. Work runs only inside run_ready() and
// advance(), in order; time moves only in advance().
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <utility>

#include "base/executor.hpp"

namespace coracle::apiserver {

class ManualExecutor final : public Executor {
 public:
  TimePoint now() const override { return now_; }
  WallTime wall_now() const override {
    return WallTime(std::chrono::seconds(1'790'000'000)) + now_.time_since_epoch();
  }
  void post(std::function<void()> work) override { ready_.push_back(std::move(work)); }
  TimerId after(Duration delay, std::function<void()> work) override {
    const TimerId id = ++last_timer_;
    timers_[{now_ + delay, id}] = std::move(work);
    return id;
  }
  void cancel(TimerId timer) override {
    std::erase_if(timers_, [&](const auto& entry) { return entry.first.second == timer; });
  }

  void run_ready() {
    while (!ready_.empty()) {
      auto work = std::move(ready_.front());
      ready_.pop_front();
      work();
    }
  }
  // Runs what falls due in the next `span`, in order.
  void advance(Duration span) {
    const TimePoint end = now_ + span;
    run_ready();
    while (!timers_.empty() && timers_.begin()->first.first <= end) {
      auto next = timers_.extract(timers_.begin());
      now_ = std::max(now_, next.key().first);
      next.mapped()();
      run_ready();
    }
    now_ = end;
  }
  // Advances in small steps until `done()`; false after `limit`.
  bool run_until(const std::function<bool()>& done, Duration limit = std::chrono::seconds(60)) {
    const TimePoint end = now_ + limit;
    run_ready();
    while (!done()) {
      if (now_ >= end) return false;
      advance(std::chrono::milliseconds(1));
    }
    return true;
  }

 private:
  TimePoint now_{};
  TimerId last_timer_ = 0;
  std::deque<std::function<void()>> ready_;
  std::map<std::pair<TimePoint, TimerId>, std::function<void()>> timers_;
};

}  // namespace coracle::apiserver
