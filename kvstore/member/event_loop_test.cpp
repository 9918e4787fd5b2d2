#include "member/event_loop.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

using namespace coracle;
using store::EventLoop;

namespace {

// Runs a loop on a thread of its own until the end of the scope.
class Running {
 public:
  explicit Running(
      EventLoop& loop, EventLoop::Work end_of_turn = [] {})
      : loop_(loop), thread_([&loop, end_of_turn] { loop.run(end_of_turn); }) {}
  ~Running() { join(); }
  void join() {
    loop_.stop();
    if (thread_.joinable()) thread_.join();
  }

 private:
  EventLoop& loop_;
  std::thread thread_;
};

}  // namespace

TEST_CASE("posted work runs one at a time, in each poster's order, with a turn's end behind it") {
  constexpr int kThreads = 4, kEach = 4000;
  EventLoop loop;
  std::atomic<int> inside{0};
  bool alone = true, in_order = true;
  int ran = 0, ended = 0;
  int last[kThreads] = {};
  {
    Running running(loop, [&] {
      alone = alone && ++inside == 1;
      ended = ran;
      --inside;
    });
    std::vector<std::thread> posters;
    for (int t = 0; t < kThreads; ++t) {
      posters.emplace_back([&, t] {
        for (int i = 1; i <= kEach; ++i) {
          const auto work = [&, t, i] {
            alone = alone && ++inside == 1;
            in_order = in_order && last[t] + 1 == i;
            last[t] = i;
            ++ran;
            --inside;
          };
          // Full is full: ask again.
          if (t % 2 == 0) {
            while (!loop.try_post(work)) std::this_thread::yield();
          } else {
            loop.post(work);
          }
        }
      });
    }
    for (auto& poster : posters) poster.join();
    std::atomic<bool> over{false};
    loop.post([&] { loop.post([&] { over = true; }); });
    while (!over) std::this_thread::yield();
  }
  CHECK(alone);
  CHECK(in_order);
  CHECK(ran == kThreads * kEach);
  CHECK(ended == ran);
}

TEST_CASE("timers run in the order of their times") {
  EventLoop loop;
  std::string order;
  std::atomic<bool> over{false};
  Running running(loop);
  REQUIRE(loop.try_post([&] {
    loop.after(std::chrono::milliseconds(20), [&] {
      order += 'c';
      over = true;
    });
    loop.after(std::chrono::milliseconds(10), [&] { order += 'b'; });
    const auto cancelled = loop.after(std::chrono::milliseconds(5), [&] { order += 'x'; });
    loop.after(Duration(0), [&] { order += 'a'; });
    loop.cancel(cancelled);
  }));
  while (!over) std::this_thread::yield();
  running.join();
  CHECK(order == "abc");
}

TEST_CASE("after stop, what was posted before still runs and nothing more is taken") {
  EventLoop loop;
  int ran = 0;
  loop.post([&] { ++ran; });
  loop.stop();
  CHECK_FALSE(loop.try_post([&] { ++ran; }));
  CHECK_FALSE(loop.post_unless_stopped([&] { ++ran; }));
  loop.run([] {});
  CHECK(ran == 1);
}
