// The conformance suite of the Store port. Each end of it runs store_conformance() inside one
// Catch2 test case (it opens sections): the in-process store, stock etcd, our kvstore.
//
// The store may hold other keys, and its revision may be anything; the suite works below prefixes
// of its own and compares revisions by difference.
#pragma once

#include <catch2/catch.hpp>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "client/store.hpp"

namespace coracle::client {

class StoreWorld {
 public:
  virtual ~StoreWorld() = default;
  virtual Store& store() = 0;
  // Runs the strand until `done`; false after about `limit`.
  virtual bool run_until(const std::function<bool()>& done, Duration limit) = 0;

  template <class T>
  T get(Task<T> task) {
    std::optional<T> answer;
    spawn<T>(std::move(task), [&](T value) { answer.emplace(std::move(value)); });
    REQUIRE(run_until([&] { return answer.has_value(); }, std::chrono::seconds(20)));
    return std::move(*answer);
  }
  GuardedResult put(const std::string& key, const std::string& value, std::int64_t expected,
                    std::int64_t lease = 0) {
    auto result = get(store().write(
        {.key = key, .value = value, .expected_mod_revision = expected, .lease = lease}));
    INFO(result.status().to_string());
    REQUIRE(result.ok());
    return *result;
  }
  GuardedResult remove(const std::string& key, std::int64_t expected) {
    auto result = get(store().write(
        {.op = GuardedWrite::Op::kDelete, .key = key, .expected_mod_revision = expected}));
    REQUIRE(result.ok());
    return *result;
  }
  RangeResult range(RangeRequest request) {
    auto result = get(store().range(std::move(request)));
    INFO(result.status().to_string());
    REQUIRE(result.ok());
    return *result;
  }
};

// A watch that remembers what it was told.
struct WatchLog {
  std::vector<WatchEvent> events;
  std::int64_t revision = 0;
  int progress_notices = 0;
  std::optional<Status> ended;
  std::unique_ptr<Watch> watch;

  void open(Store& store, WatchRequest request) {
    WatchSink sink;
    sink.on_events = [this](std::vector<WatchEvent> more, std::int64_t upto) {
      CHECK(upto >= revision);
      revision = upto;
      if (more.empty()) ++progress_notices;
      for (auto& event : more) events.push_back(std::move(event));
    };
    sink.on_end = [this](Status status) { ended = std::move(status); };
    watch = store.watch(std::move(request), std::move(sink));
  }
};

// Opens a section for each rule.
void store_conformance(StoreWorld& world);

}  // namespace coracle::client
