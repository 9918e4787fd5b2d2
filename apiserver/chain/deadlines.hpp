// Deadlines: until when requests must be answered. One timer for all of them.
//
// Thread: the Executor's strand. A watched deadline runs `expired` once, unless its Guard died
// before.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "apiserver/chain/user.hpp"
#include "base/executor.hpp"

namespace coracle::apiserver {

class Deadlines {
 public:
  class Guard;

 private:
  struct Entry {
    std::function<void()> expired;
    Guard* guard;
  };
  using Entries = std::multimap<TimePoint, Entry>;

 public:
  class Guard {
   public:
    Guard() = default;
    Guard(Guard&& other) noexcept { *this = std::move(other); }
    Guard& operator=(Guard&& other) noexcept;
    ~Guard() { release(); }
    void release();

   private:
    friend class Deadlines;
    std::shared_ptr<Entries> entries_;  // null: nothing is watched (any more)
    Entries::iterator at_;
  };

  explicit Deadlines(Executor& executor) : executor_(executor) {}
  ~Deadlines();

  Guard watch(TimePoint when, std::function<void()> expired);

 private:
  void arm();
  void run_due();

  Executor& executor_;
  std::shared_ptr<Entries> entries_ = std::make_shared<Entries>();
  Executor::TimerId timer_ = 0;  // 0: not armed
  TimePoint armed_{};
};

// Watches, logs, exec and their kin: they last as long as they last.
bool is_long_running(const RequestInfo& request);

// The `timeout` of the request's query if it is shorter than `longest`, else that. 400 when it is
// no duration.
Outcome<Duration> time_limit(const net::Request& request, Duration longest);

}  // namespace coracle::apiserver
