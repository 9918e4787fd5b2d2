// The live Executor: one strand, which is one Asio io_context run by one thread.
//
// post() may be called from any thread; everything else only from the thread that runs, or before
// it runs. Timers are ordered by time, then by their making.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "base/executor.hpp"
#include "base/task.hpp"

namespace boost::asio {
class io_context;
}

namespace coracle::net {

class AsioExecutor final : public Executor {
 public:
  AsioExecutor();
  ~AsioExecutor() override;  // drops, without running, what has not run
  AsioExecutor(const AsioExecutor&) = delete;
  AsioExecutor& operator=(const AsioExecutor&) = delete;

  TimePoint now() const override;
  WallTime wall_now() const override;
  void post(std::function<void()> work) override;
  TimerId after(Duration delay, std::function<void()> work) override;
  void cancel(TimerId timer) override;

  // Runs work until stop(), also while there is none. May be called again after it returned.
  void run();
  // Runs until `done()` holds (looked at after each piece of work), or stop().
  void run_until(const std::function<bool()>& done);
  // Makes run() return after the current piece of work. Thread-safe.
  void stop();

  // `fn` runs on the strand each time the signal comes; its default action is off from now on.
  void on_signal(int signal, std::function<void()> fn);

  // `fn` is told each time timers run: by how much the earliest of them is late.
  void on_timers(std::function<void(Duration late)> fn);

  boost::asio::io_context& context();  // for net only

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// For programs that wait: starts `task` and runs the executor until it has ended. Not inside run().
template <class T>
T block_on(AsioExecutor& executor, Task<T> task) {
  std::optional<T> result;
  spawn<T>(std::move(task), [&](T value) { result.emplace(std::move(value)); });
  executor.run_until([&] { return result.has_value(); });
  CHECK(result.has_value());  // somebody stopped the executor under a waiting program
  return std::move(*result);
}

}  // namespace coracle::net
