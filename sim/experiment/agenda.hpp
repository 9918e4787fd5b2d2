// Agenda: what is due on virtual time. Of equal times, what was asked for first comes first. One
// owner. Bound: what is asked for.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "base/clock.hpp"

namespace coracle::sim {

class Agenda {
 public:
  using Work = std::function<void()>;

  Duration now() const { return now_; }
  void at(Duration when, Work work) {
    heap_.push_back({std::max(when, now_), numbers_++, std::move(work)});
    std::push_heap(heap_.begin(), heap_.end(), Later{});
  }
  std::optional<Duration> next() const {
    if (heap_.empty()) return {};
    return heap_.front().when;
  }
  // REQUIRES next().
  void run_next() {
    std::pop_heap(heap_.begin(), heap_.end(), Later{});
    Entry entry = std::move(heap_.back());
    heap_.pop_back();
    now_ = entry.when;
    entry.work();
  }
  // Nothing is due before.
  void pass_until(Duration when) { now_ = std::max(now_, when); }

 private:
  struct Entry {
    Duration when;
    std::uint64_t number;
    Work work;
  };
  struct Later {
    bool operator()(const Entry& a, const Entry& b) const {
      return std::pair(a.when, a.number) > std::pair(b.when, b.number);
    }
  };
  Duration now_{0};
  std::uint64_t numbers_ = 0;
  std::vector<Entry> heap_;
};

}  // namespace coracle::sim
