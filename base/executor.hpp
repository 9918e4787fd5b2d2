// Executor: one strand of one world. Live: an Asio io_context (net/asio_executor.hpp).
// Simulated: virtual time (sim/). What is posted runs later, in order, one at a time.
#pragma once

#include <cstdint>
#include <functional>

#include "base/clock.hpp"
#include "base/task.hpp"

namespace coracle {

class Executor : public Clock {
 public:
  using TimerId = std::uint64_t;  // never 0, never reused

  // Thread-safe in the live world: how other threads enter the strand.
  virtual void post(std::function<void()> work) = 0;
  // Strand only. Runs `work` once, not before `delay` from now.
  virtual TimerId after(Duration delay, std::function<void()> work) = 0;
  // Strand only. A timer that has run, or is unknown, is ignored.
  virtual void cancel(TimerId timer) = 0;
};

// co_await sleep_on(executor, 5s)
inline Callback<bool> sleep_on(Executor& executor, Duration delay) {
  return Callback<bool>([&executor, delay](std::function<void(bool)> done) {
    executor.after(delay, [done = std::move(done)] { done(true); });
  });
}

}  // namespace coracle
