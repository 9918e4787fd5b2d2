#include "member/event_loop.hpp"

#include <algorithm>
#include <utility>

namespace coracle::store {

bool EventLoop::try_post(Work work, const Work& then) {
  Lock lock(mutex_);
  const bool accepted = !stopped_ && inbox_.size() < kInboxMax;
  if (accepted) inbox_.push_back(std::move(work));
  // Who runs the strand looks again before it goes.
  const bool lent = accepted && !taken_ && lends_ && running_;
  if (lent) {
    taken_ = true;
  } else if (accepted && !taken_) {
    wake(lock);
  }
  if (then) {
    if (lock.owns_lock()) lock.unlock();
    then();
  }
  if (!lent) return accepted;
  if (!lock.owns_lock()) lock.lock();
  for (int turns = 0; turns < kLentTurns && !inbox_.empty() && !stopped_; ++turns) turn(lock);
  give_strand_back(lock);
  return true;
}

bool EventLoop::post_unless_stopped(Work work) {
  Lock lock(mutex_);
  if (stopped_) return false;
  inbox_.push_back(std::move(work));
  if (!taken_) wake(lock);
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

// One turn, with the strand taken. The lock is open while the work runs.
void EventLoop::turn(Lock& lock) {
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
    end_of_turn_();
  }
  lock.lock();
}

void EventLoop::give_strand_back(Lock& lock) {
  next_timer_ = first_timer();
  taken_ = false;
  if (stopped_ || !inbox_.empty() || next_timer_ < sleeping_until_) wake(lock);
}

void EventLoop::wait_for_turn(Lock& lock) {
  while (taken_ || (inbox_.empty() && !stopped_)) {
    if (!taken_ && next_timer_ <= now()) return;
    sleeping_ = true;
    // While the strand is lent, its timers run there; who gives it back wakes us.
    sleeping_until_ = taken_ ? TimePoint::max() : next_timer_;
    if (sleeping_until_ == TimePoint::max()) {
      arrived_.wait(lock);
    } else {
      arrived_.wait_for(lock, sleeping_until_ - now());
    }
    sleeping_ = false;
  }
}

void EventLoop::run(const Work& end_of_turn) {
  Lock lock(mutex_);
  end_of_turn_ = end_of_turn;
  running_ = true;
  next_timer_ = first_timer();
  bool last = false;
  while (!last) {
    wait_for_turn(lock);
    taken_ = true;
    last = stopped_;
    turn(lock);
    next_timer_ = first_timer();
    taken_ = false;
  }
  running_ = false;
}

void EventLoop::stop() {
  Lock lock(mutex_);
  stopped_ = true;
  wake(lock);
}

}  // namespace coracle::store
