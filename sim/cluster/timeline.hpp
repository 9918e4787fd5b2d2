// Timeline: virtual time and everything that is still to happen in it, for all machines of a world.
// What is due at one moment runs in the order it was asked for.
//
// One thread. at, cancel, run_next: O(log n); drop: O(n). Ids are never 0 and never come again.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/clock.hpp"

namespace coracle::cluster_sim {

class Timeline {
 public:
  using Work = std::function<void()>;
  using Id = std::uint64_t;

  // Whose work it is: it decides how, and whether not yet.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void run(Work& work) = 0;
    virtual TimePoint held_until() const = 0;
  };

  TimePoint now() const { return now_; }
  Id at(TimePoint when, Work work, Owner* owner = nullptr);
  void cancel(Id id);
  // All of an owner's is forgotten.
  void drop(const Owner* owner);
  // False when nothing is left.
  bool run_next();
  // Nothing happens before.
  std::optional<TimePoint> next();
  // No time has passed when it is called but for what ran; nothing is due before.
  void pass_until(TimePoint when);

  std::uint64_t ran() const { return ran_; }
  std::size_t waiting() const { return used_; }

 private:
  struct Slot {
    Work work;
    Owner* owner = nullptr;
    std::uint32_t generation = 0;
    bool used = false;
  };
  struct Entry {
    TimePoint when;
    std::uint64_t number;
    std::uint32_t slot, generation;
    // The heap's first is the least.
    bool operator<(const Entry& o) const {
      return when != o.when ? when > o.when : number > o.number;
    }
  };
  bool stale(const Entry& e) const {
    return !slots_[e.slot].used || slots_[e.slot].generation != e.generation;
  }
  Work release(std::uint32_t slot);
  void push(TimePoint when, std::uint64_t number, std::uint32_t slot);
  void drop_stale_top();
  void rebuild();

  TimePoint now_{std::chrono::hours(1)};  // so that "long ago" exists
  std::uint64_t numbers_ = 0, ran_ = 0;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::vector<Entry> heap_;
  std::size_t used_ = 0;
};

}  // namespace coracle::cluster_sim
