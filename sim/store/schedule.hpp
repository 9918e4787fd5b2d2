// Schedule: virtual time. What is due at one moment runs in the order it was asked for.
#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <tuple>
#include <vector>

namespace coracle::store_sim {

using Micros = std::int64_t;

class Schedule {
 public:
  Micros now() const { return now_; }
  std::uint64_t events() const { return events_; }
  void at(Micros delay, std::function<void()> what) {
    queue_.push({now_ + delay, ++scheduled_, std::move(what)});
  }
  // False when nothing is left.
  bool run_next() {
    if (queue_.empty()) return false;
    // The order does not look at `what`, so it may be taken out of the top.
    auto what = std::move(const_cast<Event&>(queue_.top()).what);
    now_ = queue_.top().at;
    queue_.pop();
    ++events_;
    what();
    return true;
  }

 private:
  struct Event {
    Micros at;
    std::uint64_t number;
    std::function<void()> what;
    bool operator<(const Event& o) const { return std::tie(o.at, o.number) < std::tie(at, number); }
  };
  std::priority_queue<Event> queue_;
  Micros now_ = 0;
  std::uint64_t scheduled_ = 0;
  std::uint64_t events_ = 0;
};

}  // namespace coracle::store_sim
