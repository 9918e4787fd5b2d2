#include "base/manual_executor.hpp"

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

namespace coracle {
namespace {

using namespace std::chrono_literals;

TEST_CASE("timers fire in order of time, then of setting, and posted work in between") {
  ManualExecutor executor;
  const TimePoint start = executor.now();
  std::vector<std::string> log;
  executor.after(2s, [&] { log.push_back("b"); });
  executor.after(1s, [&] {
    log.push_back("a");
    executor.post([&] { log.push_back("a-posted"); });
  });
  executor.after(2s, [&] { log.push_back("c"); });
  executor.after(3s, [&] { log.push_back("late"); });
  executor.advance(2s);
  CHECK(log == std::vector<std::string>{"a", "a-posted", "b", "c"});
  CHECK(executor.now() - start == 2s);
  CHECK(executor.pending_timers() == 1);
}

TEST_CASE("a cancelled timer never fires, and cancelling twice is nothing") {
  ManualExecutor executor;
  int fired = 0;
  const auto timer = executor.after(1s, [&] { ++fired; });
  executor.cancel(timer);
  executor.cancel(timer);
  executor.advance(10s);
  CHECK(fired == 0);
}

TEST_CASE("run_until stops at the condition and at the limit") {
  ManualExecutor executor;
  int ticks = 0;
  std::function<void()> tick = [&] {
    ++ticks;
    executor.after(1s, tick);
  };
  executor.after(1s, tick);
  CHECK(executor.run_until([&] { return ticks == 3; }));
  CHECK_FALSE(executor.run_until([&] { return ticks == 100; }, 5s));
  CHECK(ticks == 8);
}

TEST_CASE("the wall clock follows virtual time and may jump") {
  ManualExecutor executor;
  CHECK(format_time(executor.wall_now()) == "2026-01-01T00:00:00Z");
  executor.advance(90s);
  executor.shift_wall(1h);
  CHECK(format_time(executor.wall_now()) == "2026-01-01T01:01:30Z");
}

TEST_CASE("what is left at the end is dropped, and may cancel and post meanwhile") {
  struct Guard {
    Executor& executor;
    Executor::TimerId timer;
    int& ends;
    ~Guard() {
      executor.cancel(timer);
      executor.post([] {});
      ++ends;
    }
  };
  int ends = 0;
  {
    ManualExecutor executor;
    const auto first = executor.after(1s, [] {});
    const auto guard = [&] { return std::make_shared<Guard>(executor, first, ends); };
    const auto second = executor.after(2s, [kept = guard()] {});
    executor.after(3s, [kept = guard()] {});
    executor.post([kept = guard()] {});
    executor.cancel(second);
    CHECK(ends == 1);
    CHECK(executor.pending_timers() == 1);
  }
  CHECK(ends == 3);
}

}  // namespace
}  // namespace coracle
