#include "store_sim/strand.hpp"

#include <algorithm>

namespace coracle::store_sim {

bool SimStrand::try_post(Work work) {
  if (!*alive_ || inbox_.size() >= kInboxMax) return false;
  return post_unless_stopped(std::move(work));
}

bool SimStrand::post_unless_stopped(Work work) {
  if (!*alive_) return false;
  inbox_.push_back(std::move(work));
  if (!waking_) {
    waking_ = true;
    wake_later(10);
  }
  return true;
}

SimStrand::TimerId SimStrand::after(Duration delay, Work work) {
  const TimerId id = ++last_timer_;
  const TimePoint at = now() + std::max(delay, Duration(0));
  timers_.emplace(std::pair(at, id), std::move(work));
  deadlines_.emplace(id, at);
  wake_later(delay.count() / 1000 - delay.count() / 1'000'000 * clock_.drift_ppm / 1000 + 1);
  return id;
}

void SimStrand::cancel(TimerId timer) {
  const auto found = deadlines_.find(timer);
  if (found == deadlines_.end()) return;
  timers_.erase({found->second, timer});
  deadlines_.erase(found);
}

void SimStrand::wake_later(Micros delay) {
  schedule_.at(std::max<Micros>(delay, 0), [this, alive = alive_] {
    if (*alive) wake();
  });
}

void SimStrand::wake() {
  if (schedule_.now() < held_until_) return wake_later(held_until_ - schedule_.now());
  const bool due = !timers_.empty() && timers_.begin()->first.first <= now();
  if (inbox_.empty() && !due) {
    // A clock that is slower than was reckoned.
    if (!timers_.empty() && timers_.begin()->first.first - now() < Duration(100'000))
      wake_later(50);
    return;
  }
  turn_([this] { run_batch(); });
}

void SimStrand::run_batch() {
  waking_ = false;
  std::vector<Work> batch = std::exchange(inbox_, {});
  for (Work& work : batch) {
    work();
    work = nullptr;
  }
  const TimePoint until = now();
  while (!timers_.empty() && timers_.begin()->first.first <= until) {
    auto node = timers_.extract(timers_.begin());
    deadlines_.erase(node.key().second);
    node.mapped()();
  }
}

}  // namespace coracle::store_sim
