#include "member/event_loop.hpp"

#include <algorithm>
#include <utility>

namespace coracle::store {

bool EventLoop::try_post(Work work) {
  Lock lock(mutex_);
  if (stopped_ || inbox_.size() >= kInboxMax) return false;
  inbox_.push_back(std::move(work));
  wake(lock);
  return true;
}

bool EventLoop::post_unless_stopped(Work work) {
  Lock lock(mutex_);
  if (stopped_) return false;
  inbox_.push_back(std::move(work));
  wake(lock);
  return true;
}

// Leaves the lock open: the thread that wakes needs it.
void EventLoop::wake(Lock& lock) {
  if (!std::exchange(sleeping_, false)) return;
  lock.unlock();
  arrived_.notify_one();
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

TimePoint EventLoop::first_timer() const {
  return timers_.empty() ? TimePoint::max() : timers_.begin()->first.first;
}

void EventLoop::run_due_timers() {
  const TimePoint until = now();
  while (first_timer() <= until) {
    auto node = timers_.extract(timers_.begin());
    deadlines_.erase(node.key().second);
    node.mapped()();
  }
}

// The lock is open while the work runs.
void EventLoop::turn(const Work& end_of_turn, Lock& lock) {
  const bool last = stopped_;
  batch_.clear();
  batch_.swap(inbox_);
  lock.unlock();
  for (Work& work : batch_) {
    work();
    work = nullptr;  // what it holds goes now, not at the end of the turn
  }
  if (!last) {
    run_due_timers();
    end_of_turn();
  }
  lock.lock();
}

void EventLoop::wait_for_turn(Lock& lock) {
  while (inbox_.empty() && !stopped_) {
    const TimePoint until = first_timer();
    if (until <= now()) return;
    sleeping_ = true;
    if (until == TimePoint::max()) {
      arrived_.wait(lock);
    } else {
      arrived_.wait_for(lock, until - now());
    }
    sleeping_ = false;
  }
}

void EventLoop::run(const Work& end_of_turn) {
  Lock lock(mutex_);
  for (bool last = false; !last;) {
    wait_for_turn(lock);
    last = stopped_;
    turn(end_of_turn, lock);
  }
}

void EventLoop::stop() {
  Lock lock(mutex_);
  stopped_ = true;
  wake(lock);
}

}  // namespace coracle::store
