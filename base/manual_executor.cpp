#include "base/manual_executor.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace coracle {

ManualExecutor::ManualExecutor(WallTime start) : wall_(start) {}

ManualExecutor::~ManualExecutor() {
  deadlines_.clear();
  const auto timers = std::exchange(timers_, {});
  const auto posted = std::exchange(posted_, {});
}

void ManualExecutor::post(std::function<void()> work) { posted_.push_back(std::move(work)); }

Executor::TimerId ManualExecutor::after(Duration delay, std::function<void()> work) {
  const TimerId id = next_id_++;
  const TimePoint due = now_ + std::max(delay, Duration::zero());
  timers_.emplace(Due(due, id), std::move(work));
  deadlines_.emplace(id, due);
  return id;
}

void ManualExecutor::cancel(TimerId timer) {
  const auto found = deadlines_.find(timer);
  if (found == deadlines_.end()) return;
  // Keep the work until the maps are in order: destroying it may cancel others.
  const auto entry = timers_.extract(Due(found->second, timer));
  deadlines_.erase(found);
}

void ManualExecutor::run_ready() {
  for (int steps = 0; !posted_.empty(); ++steps) {
    CHECK_MSG(steps < kMaxSteps, "posted work never ends");
    auto work = std::move(posted_.front());
    posted_.pop_front();
    work();
  }
}

void ManualExecutor::run_next_timer() {
  auto first = timers_.begin();
  const auto [due, id] = first->first;
  auto work = std::move(first->second);
  timers_.erase(first);
  deadlines_.erase(id);
  if (due > now_) {
    wall_ += due - now_;
    now_ = due;
  }
  work();
  run_ready();
}

void ManualExecutor::advance(Duration span) {
  const TimePoint end = now_ + span;
  run_ready();
  for (int steps = 0; !timers_.empty() && timers_.begin()->first.first <= end; ++steps) {
    CHECK_MSG(steps < kMaxSteps, "timers never end");
    run_next_timer();
  }
  if (end > now_) {
    wall_ += end - now_;
    now_ = end;
  }
}

bool ManualExecutor::run_until(const std::function<bool()>& done, Duration limit) {
  const TimePoint end = now_ + limit;
  for (int steps = 0;; ++steps) {
    CHECK_MSG(steps < kMaxSteps, "timers never end");
    run_ready();
    if (done()) return true;
    if (!posted_.empty()) continue;  // looking at the condition made work
    if (timers_.empty() || timers_.begin()->first.first > end) return false;
    run_next_timer();
  }
}

}  // namespace coracle
