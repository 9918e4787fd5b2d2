#include "client/memory_store.hpp"

#include <catch2/catch.hpp>

#include "base/manual_executor.hpp"
#include "client_testing/store_conformance.hpp"

namespace coracle::client {
namespace {

class MemoryWorld final : public StoreWorld {
 public:
  Store& store() override { return memory; }
  bool run_until(const std::function<bool()>& done, Duration limit) override {
    return executor.run_until(done, limit);
  }
  ManualExecutor executor;
  MemoryStore memory{executor};
};

TEST_CASE("the store in memory conforms") {
  MemoryWorld world;
  store_conformance(world);
}

TEST_CASE("prefix_end") {
  CHECK(prefix_end("a/") == "a0");
  CHECK(prefix_end("a\xff") == "b");
  CHECK(prefix_end("\xff\xff") == std::string(1, '\0'));
  CHECK(prefix_end("") == std::string(1, '\0'));
}

TEST_CASE("a store that cannot be reached times out and ends its watches") {
  MemoryWorld world;
  WatchLog log;
  log.open(world.memory, {.key = "/"});
  world.memory.set_reachable(false, std::chrono::seconds(7));
  const TimePoint start = world.executor.now();
  auto result = world.get(world.memory.write({.key = "/a", .value = "1"}));
  CHECK(result.status().code() == Code::kUnavailable);
  CHECK(world.executor.now() - start == std::chrono::seconds(7));
  REQUIRE(log.ended.has_value());
  CHECK(log.ended->code() == Code::kUnavailable);
  world.memory.set_reachable(true);
  CHECK(world.range({.key = "/a"}).kvs.empty());
}

TEST_CASE("a watch destroyed inside its own callback, and a store destroyed under a watch") {
  ManualExecutor executor;
  auto store = std::make_unique<MemoryStore>(executor);
  std::unique_ptr<Watch> watch;
  int calls = 0;
  WatchSink sink;
  sink.on_events = [&](std::vector<WatchEvent>, std::int64_t) {
    ++calls;
    watch.reset();
  };
  watch = store->watch({.key = "/a"}, sink);
  for (int i = 0; i < 2; ++i) {
    spawn<Result<GuardedResult>>(store->write({.key = "/a", .expected_mod_revision = i ? 2 : 0}),
                                 [](Result<GuardedResult> r) { REQUIRE(r.ok()); });
    executor.run_ready();
  }
  CHECK(calls == 1);
  watch = store->watch({.key = "/a", .start_revision = 1}, sink);
  store.reset();
  executor.run_ready();
  watch->request_progress();
  executor.run_ready();
  CHECK(calls == 1);
}

}  // namespace
}  // namespace coracle::client
