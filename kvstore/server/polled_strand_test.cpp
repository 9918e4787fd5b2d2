#include "server/polled_strand.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

namespace coracle::store {
namespace {

using namespace std::chrono_literals;

TEST_CASE("posted work runs in each poster's order, with a turn's end behind it") {
  constexpr int kThreads = 4, kEach = 4000;
  net::AsioExecutor executor;
  PolledStrand strand(executor);
  int ran = 0, ended = 0, left = kThreads;
  bool in_order = true;
  int last[kThreads] = {};
  std::vector<std::thread> posters;
  for (int t = 0; t < kThreads; ++t) {
    posters.emplace_back([&, t] {
      for (int i = 1; i <= kEach; ++i) {
        const auto work = [&, t, i] {
          in_order = in_order && last[t] + 1 == i;
          last[t] = i;
          ++ran;
        };
        // Full is full: ask again.
        while (t % 2 == 0 && !strand.try_post(work)) std::this_thread::yield();
        if (t % 2 == 1) strand.post(work);
      }
      strand.post([&] {
        if (--left == 0) strand.stop();
      });
    });
  }
  strand.run([&] { ended = ran; });
  for (auto& poster : posters) poster.join();
  CHECK(in_order);
  CHECK(ran == kThreads * kEach);
  CHECK(ended == ran);
}

TEST_CASE("timers run in the order of their times; after stop only what was posted before") {
  net::AsioExecutor executor;
  PolledStrand strand(executor);
  std::string order;
  strand.after(20ms, [&] {
    order += 'c';
    strand.post([&] { order += 'd'; });
    strand.stop();
    CHECK_FALSE(strand.try_post([&] { order += 'x'; }));
    CHECK_FALSE(strand.post_unless_stopped([&] { order += 'x'; }));
    strand.after(Duration(0), [&] { order += 'x'; });
  });
  strand.after(10ms, [&] { order += 'b'; });
  const auto cancelled = strand.after(5ms, [&] { order += 'x'; });
  strand.after(Duration(0), [&] { order += 'a'; });
  strand.cancel(cancelled);
  strand.run([] {});
  CHECK(order == "abcd");
  // Others may still use the executor; the strand is over.
  bool late = false;
  executor.after(5ms, [&] { late = true; });
  executor.run_until([&] { return late; });
  CHECK(order == "abcd");
}

TEST_CASE("try_post refuses when too much waits") {
  net::AsioExecutor executor;
  PolledStrand strand(executor);
  std::size_t ran = 0;
  for (std::size_t i = 0; i < PolledStrand::kInboxMax; ++i) {
    REQUIRE(strand.try_post([&] { ++ran; }));
  }
  CHECK_FALSE(strand.try_post([&] { ++ran; }));
  strand.post([&] { strand.stop(); });
  strand.run([] {});
  CHECK(ran == PolledStrand::kInboxMax);
}

}  // namespace
}  // namespace coracle::store
