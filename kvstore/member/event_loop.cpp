#include "member/event_loop.hpp"

#include <algorithm>
#include <utility>

namespace coracle::store {

bool EventLoop::try_post(Work work) {
  {
    std::lock_guard lock(mutex_);
    if (stopped_ || inbox_.size() >= kInboxMax) return false;
    inbox_.push_back(std::move(work));
    if (!sleeping_) return true;
    sleeping_ = false;
  }
  arrived_.notify_one();
  return true;
}

bool EventLoop::post_unless_stopped(Work work) {
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return false;
    inbox_.push_back(std::move(work));
    if (!sleeping_) return true;
    sleeping_ = false;
  }
  arrived_.notify_one();
  return true;
}

EventLoop::TimerId EventLoop::after(Duration delay, Work work) {
  const TimerId id = ++last_timer_;
  const TimePoint at = now() + std::max(delay, Duration(0));
  timers_.emplace(std::pair(at, id), std::move(work));
  deadlines_.emplace(id, at);
  return id;
}

void EventLoop::cancel(TimerId timer) {
  const auto found = deadlines_.find(timer);
  if (found == deadlines_.end()) return;
  timers_.erase({found->second, timer});
  deadlines_.erase(found);
}

bool EventLoop::gather(std::vector<Work>* batch) {
  std::unique_lock lock(mutex_);
  if (inbox_.empty() && !stopped_) {
    sleeping_ = true;
    if (timers_.empty()) {
      arrived_.wait(lock, [this] { return !inbox_.empty() || stopped_; });
    } else {
      const Duration left = timers_.begin()->first.first - now();
      if (left > Duration(0)) {
        arrived_.wait_for(lock, left, [this] { return !inbox_.empty() || stopped_; });
      }
    }
    sleeping_ = false;
  }
  batch->swap(inbox_);
  return stopped_;
}

void EventLoop::run_due_timers() {
  const TimePoint until = now();
  while (!timers_.empty() && timers_.begin()->first.first <= until) {
    auto node = timers_.extract(timers_.begin());
    deadlines_.erase(node.key().second);
    node.mapped()();
  }
}

void EventLoop::run(const Work& end_of_turn) {
  std::vector<Work> batch;
  bool stopped = false;
  while (!stopped) {
    batch.clear();
    stopped = gather(&batch);
    for (Work& work : batch) {
      work();
      work = nullptr;  // what it holds goes now, not at the end of the turn
    }
    if (stopped) return;
    run_due_timers();
    end_of_turn();
  }
}

void EventLoop::stop() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  arrived_.notify_one();
}

}  // namespace coracle::store
