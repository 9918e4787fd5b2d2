#include "client/work_queue.hpp"

#include <catch2/catch.hpp>
#include <vector>

#include "base/manual_executor.hpp"

namespace coracle::client {
namespace {

using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

const TimePoint kNow{1000s};

TEST_CASE("a key waits once, in order of adding") {
  WorkQueue queue;
  for (const char* key : {"a", "b", "a"}) queue.add(key);
  CHECK(queue.take(kNow) == "a");
  CHECK(queue.take(kNow) == "b");
  CHECK_FALSE(queue.take(kNow).has_value());
}

TEST_CASE("a key added while worked on comes again after done, once") {
  WorkQueue queue;
  queue.add("a");
  CHECK(queue.take(kNow) == "a");
  queue.add("a");
  queue.add("a");
  CHECK_FALSE(queue.take(kNow).has_value());
  queue.done("a");
  CHECK(queue.take(kNow) == "a");
  queue.done("a");
  CHECK_FALSE(queue.take(kNow).has_value());
  CHECK(queue.working() == 0);
}

TEST_CASE("delayed adds: the earliest counts, and at its time") {
  WorkQueue queue;
  queue.add_after("a", 10s, kNow);
  queue.add_after("a", 5s, kNow);
  queue.add_after("a", 20s, kNow);
  CHECK(queue.waiting() == 1);
  CHECK(queue.next_due() == kNow + 5s);
  CHECK_FALSE(queue.take(kNow + 4999ms).has_value());
  CHECK(queue.take(kNow + 5s) == "a");
  CHECK_FALSE(queue.next_due().has_value());
}

TEST_CASE("backoff doubles from 5 ms to 1000 s and forget starts over") {
  WorkQueue queue;
  TimePoint now = kNow;
  std::vector<Duration> waits;
  for (int i = 0; i < 20; ++i) {
    queue.add_rate_limited("a", now);
    waits.push_back(*queue.next_due() - now);
    now = *queue.next_due();
    REQUIRE(queue.take(now) == "a");
    queue.done("a");
  }
  CHECK(waits[0] == 5ms);
  CHECK(waits[1] == 10ms);
  CHECK(waits[10] == 5120ms);
  CHECK(waits[17] == 655360ms);
  CHECK(waits[18] == 1000s);
  CHECK(waits[19] == 1000s);
  CHECK(queue.failures("a") == 20);
  queue.forget("a");
  queue.add_rate_limited("a", now);
  CHECK(*queue.next_due() - now == 5ms);
}

struct Driven {
  ManualExecutor executor;
  Lines log;
  std::vector<std::function<void(WorkQueueDriver::Finish)>> open;
  WorkQueueDriver driver{executor, 2, [this](const std::string& key, auto finish) {
                           log.push_back(key);
                           open.push_back(std::move(finish));
                         }};
};

TEST_CASE("the driver works on as many at a time as it has workers") {
  Driven d;
  for (const char* key : {"a", "b", "c"}) d.driver.add(key);
  d.executor.run_ready();
  CHECK(d.log.empty());  // not started
  d.driver.start();
  d.executor.run_ready();
  CHECK(d.log == Lines{"a", "b"});
  d.open[0]({});
  d.executor.run_ready();
  CHECK(d.log == Lines{"a", "b", "c"});
}

TEST_CASE("a key that is due while all workers are busy waits without a timer") {
  Driven d;
  d.driver.start();
  for (const char* key : {"a", "b"}) d.driver.add(key);
  d.driver.add_after("c", 1s);
  d.executor.run_ready();
  d.executor.advance(2s);
  CHECK(d.executor.pending_timers() == 0);  // one that is due would fire for ever
  CHECK(d.log == Lines{"a", "b"});
  d.open[1]({});
  d.executor.run_ready();
  CHECK(d.log == Lines{"a", "b", "c"});
}

TEST_CASE("many keys whose work ends at once let others have their turn") {
  ManualExecutor executor;
  int worked = 0, worked_when_asked = -1;
  WorkQueueDriver driver(executor, 2, [&](const std::string&, auto finish) {
    if (++worked == 1) executor.post([&] { worked_when_asked = worked; });
    finish({});
  });
  for (int i = 0; i < 1000; ++i) driver.add(std::to_string(i));
  driver.start();
  executor.run_ready();
  CHECK(worked == 1000);
  CHECK(worked_when_asked < 200);
}

TEST_CASE("a few keys whose work takes long let others have their turn") {
  ManualExecutor executor;
  int worked = 0, worked_when_asked = -1;
  WorkQueueDriver driver(executor, 2, [&](const std::string&, auto finish) {
    if (++worked == 1) executor.post([&] { worked_when_asked = worked; });
    executor.busy(4ms);
    finish({});
  });
  for (int i = 0; i < 10; ++i) driver.add(std::to_string(i));
  driver.start();
  executor.run_ready();
  CHECK(worked == 10);
  CHECK(worked_when_asked == 2);
}

TEST_CASE("retry backs off, again_after waits, stop begins nothing new") {
  Driven d;
  d.driver.start();
  d.driver.add("a");
  d.executor.run_ready();
  d.open[0]({WorkQueueDriver::Outcome::kRetry, {}});
  d.executor.advance(4ms);
  CHECK(d.log.size() == 1);
  d.executor.advance(1ms);
  REQUIRE(d.log.size() == 2);
  d.open[1]({WorkQueueDriver::Outcome::kDone, 1h});
  CHECK(d.driver.queue().failures("a") == 0);
  d.executor.advance(59min);
  CHECK(d.log.size() == 2);
  d.driver.add_after("b", 10s);  // sooner than the timer that is set
  d.executor.advance(10s);
  CHECK(d.log == Lines{"a", "a", "b"});
  d.executor.advance(1h);
  CHECK(d.log == Lines{"a", "a", "b", "a"});
  d.driver.stop();
  d.driver.add("c");
  d.executor.advance(1h);
  CHECK(d.log.size() == 4);
}

}  // namespace
}  // namespace coracle::client
