#include "net/asio_executor.hpp"

#include <catch2/catch.hpp>
#include <csignal>
#include <string>
#include <thread>

#include "net/http.hpp"

namespace coracle::net {
namespace {

using std::chrono::milliseconds;

TEST_CASE("executor: timers in order of time, cancelled ones never") {
  AsioExecutor executor;
  std::string order;
  executor.after(milliseconds(6), [&] { order += 'c', executor.stop(); });
  executor.after(milliseconds(3), [&] { order += 'b'; });
  auto cancelled = executor.after(milliseconds(2), [&] { order += 'x'; });
  executor.after(milliseconds(1), [&] {
    order += 'a';
    executor.cancel(cancelled);
    executor.cancel(cancelled);
    executor.cancel(12345);
  });
  executor.after(Duration{-5}, [&] { order += '0'; });
  executor.post([&] { order += 'p'; });
  executor.run();
  CHECK(order == "p0abc");
}

TEST_CASE("executor: a timer of no delay set by a timer lets others run") {
  AsioExecutor executor;
  int rounds = 0;
  std::function<void()> again = [&] {
    if (++rounds < 1000) executor.after(Duration{0}, again);
  };
  again();
  bool posted = false;
  executor.post([&] { posted = true; });
  executor.run_until([&] { return posted && rounds == 1000; });
  CHECK(rounds == 1000);
}

TEST_CASE("executor: many timers that are due let others have their turn") {
  AsioExecutor executor;
  int ran = 0, ran_when_posted = -1;
  for (int i = 0; i < 1000; ++i) {
    executor.after(Duration{0}, [&] {
      if (++ran == 1) executor.post([&] { ran_when_posted = ran; });
    });
  }
  executor.run_until([&] { return ran == 1000; });
  CHECK(ran_when_posted > 0);
  CHECK(ran_when_posted < 200);
}

TEST_CASE("executor: tells how late timers are") {
  AsioExecutor executor;
  std::vector<Duration> lags;
  executor.on_timers([&](Duration late) { lags.push_back(late); });
  executor.after(milliseconds(5), [] {});
  executor.post([&] {  // work that takes long
    const TimePoint end = executor.now() + milliseconds(40);
    while (executor.now() < end) {
    }
  });
  executor.run_until([&] { return !lags.empty(); });
  CHECK(lags.front() >= milliseconds(30));
}

TEST_CASE("executor: posts from other threads arrive in their order") {
  AsioExecutor executor;
  std::vector<int> seen;
  std::thread other([&] {
    for (int i = 0; i < 1000; ++i) executor.post([&seen, i] { seen.push_back(i); });
  });
  executor.run_until([&] { return seen.size() == 1000; });
  other.join();
  CHECK(std::is_sorted(seen.begin(), seen.end()));
}

TEST_CASE("executor: block_on waits for a task, again and again") {
  AsioExecutor executor;
  auto work = [](AsioExecutor& on, int n) -> Task<int> {
    co_await sleep_on(on, milliseconds(1));
    co_return n * 2;
  };
  CHECK(block_on(executor, work(executor, 4)) == 8);
  CHECK(block_on(executor, work(executor, 5)) == 10);
}

TEST_CASE("executor: signals come to the strand, each time") {
  AsioExecutor executor;
  int seen = 0;
  executor.on_signal(SIGUSR1, [&] { ++seen; });
  for (int i = 1; i <= 2; ++i) {
    ::raise(SIGUSR1);
    executor.run_until([&] { return seen == i; });
  }
  CHECK(seen == 2);
}

TEST_CASE("headers and queries") {
  Headers headers{{"Accept", "a"}, {"accept", "b"}, {"Connection", "keep-alive, Upgrade"}};
  CHECK(headers.get("ACCEPT") == "a");
  CHECK(headers.values("Accept") == std::vector<std::string_view>{"a", "b"});
  CHECK(headers.has_token("connection", "upgrade"));
  CHECK_FALSE(headers.has_token("connection", "up"));
  headers.set("accept", "c");
  CHECK(headers.values("Accept") == std::vector<std::string_view>{"c"});
  CHECK(headers.size() == 2);
  CHECK(headers.find("missing") == nullptr);

  Query query = Query::parse("a=1&b&c=x%20y+z&a=2&&=e&bad=%zz&eq=a=b");
  CHECK(query.all("a") == std::vector<std::string>{"1", "2"});
  CHECK((query.has("b") && query.get("b").empty()));
  CHECK(query.get("c") == "x y z");
  CHECK(query.get("bad") == "%zz");
  CHECK(query.get("eq") == "a=b");
  CHECK_FALSE(query.has("d"));
  CHECK(Query::parse(query.encode()).encode() == query.encode());
}

}  // namespace
}  // namespace coracle::net
