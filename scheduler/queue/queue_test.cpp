#include "queue/queue.hpp"

#include <catch2/catch.hpp>

#include "base/manual_executor.hpp"
#include "framework/testing.hpp"

namespace coracle::scheduler {
namespace {

using namespace std::chrono_literals;
using testing::a_pod;

struct Picky final : Plugin {
  std::string_view name() const override { return "Picky"; }
  Events helped_by() const override { return event::kNodeAdded; }
};
const Picky kPicky;

struct HelpsOnlyA final : Plugin {
  std::string_view name() const override { return "HelpsOnlyA"; }
  Events helped_by() const override { return event::kNodeAdded; }
  bool helps(const PodInfo& pod, const Change&) const override { return pod.name == "a"; }
};
const HelpsOnlyA kHelpsOnlyA;

std::string name(const PodPtr& pod) { return pod ? pod->name : "-"; }

TEST_CASE("higher priority first, then who came first") {
  ManualExecutor clock;
  Queue queue;
  queue.put(a_pod("old").info(), clock.now());
  clock.advance(1s);
  queue.put(a_pod("new").info(), clock.now());
  queue.put(a_pod("important").priority(7).info(), clock.now());
  CHECK(name(queue.take(clock.now())) == "important");
  CHECK(name(queue.take(clock.now())) == "old");
  CHECK(name(queue.take(clock.now())) == "new");
  CHECK(queue.take(clock.now()) == nullptr);
}

TEST_CASE("who was tried in vain goes behind who was not tried yet") {
  ManualExecutor clock;
  for (const bool parked : {true, false}) {
    Queue queue;
    queue.put(a_pod("tried").info(), clock.now());
    queue.take(clock.now());
    clock.advance(1s);
    queue.put(a_pod("new").info(), clock.now());
    clock.advance(1s);
    if (parked) {
      queue.park("default/tried", {&kPicky}, clock.now());
    } else {
      queue.retry("default/tried", clock.now());
    }
    queue.activate("default/tried");
    CHECK(name(queue.take(clock.now())) == "new");
    CHECK(name(queue.take(clock.now())) == "tried");
  }
}

TEST_CASE("a failed bind waits 1 s, 2 s, 4 s .. 10 s") {
  ManualExecutor clock;
  Queue queue;
  queue.put(a_pod("p").info(), clock.now());
  for (const Duration wait : {1s, 2s, 4s, 8s, 10s, 10s}) {
    REQUIRE(queue.take(clock.now()) != nullptr);
    queue.retry("default/p", clock.now());
    clock.advance(wait - 1ms);
    CHECK(queue.take(clock.now()) == nullptr);
    clock.advance(1ms);
  }
}

TEST_CASE("a parked pod waits for an event that helps, or five minutes") {
  ManualExecutor clock;
  Queue queue;
  queue.put(a_pod("p").info(), clock.now());
  queue.take(clock.now());
  queue.park("default/p", {&kPicky}, clock.now());
  CHECK(queue.on_change({event::kPodGone, nullptr, nullptr}, clock.now()) == 0);
  CHECK(queue.on_change({event::kNodeAdded, nullptr, nullptr}, clock.now()) == 1);
  CHECK(queue.take(clock.now()) == nullptr);  // its back-off lasts
  clock.advance(1s);
  CHECK(name(queue.take(clock.now())) == "p");
  queue.park("default/p", {&kPicky}, clock.now());
  clock.advance(5min - 1ms);
  CHECK(queue.take(clock.now()) == nullptr);
  clock.advance(1ms);
  CHECK(name(queue.take(clock.now())) == "p");
}

TEST_CASE("what happened while a pod was tried is not missed") {
  ManualExecutor clock;
  Queue queue;
  queue.put(a_pod("p").info(), clock.now());
  queue.take(clock.now());
  queue.on_change({event::kPodGone, nullptr, nullptr}, clock.now());
  queue.park("default/p", {&kPicky}, clock.now());
  clock.advance(1s);
  CHECK(name(queue.take(clock.now())) == "p");
  queue.park("default/p", {&kPicky}, clock.now());
  clock.advance(10s);
  CHECK(queue.take(clock.now()) == nullptr);
}

TEST_CASE("a pod that is called for waits no longer") {
  ManualExecutor clock;
  Queue queue;
  queue.put(a_pod("p").info(), clock.now());
  queue.take(clock.now());
  queue.park("default/p", {}, clock.now());
  queue.activate("default/p");
  CHECK(name(queue.take(clock.now())) == "p");
}

TEST_CASE(
    "a pod that no plugin rejected, for there was no node, is looked at again after any event") {
  ManualExecutor clock;
  Queue queue;
  queue.put(a_pod("p").info(), clock.now());
  queue.take(clock.now());
  queue.park("default/p", {}, clock.now());
  CHECK(queue.on_change({.events = event::kNodeAdded}, clock.now()) == 1);
  clock.advance(std::chrono::seconds(1));
  CHECK(name(queue.take(clock.now())) == "p");
}

TEST_CASE("pods of a group are looked at again together") {
  ManualExecutor clock;
  Queue queue;
  const auto of_group = [](const char* name, const char* group) {
    return a_pod(name).set("spec.schedulingGroup.podGroupName", json::value(group)).info();
  };
  for (const PodPtr& pod : {of_group("a", "g"), of_group("b", "g"), of_group("c", "h")}) {
    queue.put(pod, clock.now());
  }
  for (const char* key : {"default/a", "default/b", "default/c"}) {
    queue.take(clock.now());
    queue.park(key, {&kHelpsOnlyA}, clock.now());
  }
  CHECK(queue.on_change({.events = event::kNodeAdded}, clock.now()) == 2);
  CHECK(queue.sizes() == Queue::Sizes{.backoff = 2, .parked = 1});
}

TEST_CASE("gates hold a pod until they are gone") {
  ManualExecutor clock;
  Queue queue;
  queue.put(a_pod("p").set("spec.schedulingGates", R"([{"name":"x"}])").info(), clock.now());
  CHECK(queue.take(clock.now()) == nullptr);
  CHECK(queue.sizes() == Queue::Sizes{.gated = 1});
  queue.put(a_pod("p").info(), clock.now());
  CHECK(name(queue.take(clock.now())) == "p");
  queue.remove("default/p");
  CHECK(queue.sizes() == Queue::Sizes{});
}

}  // namespace
}  // namespace coracle::scheduler
