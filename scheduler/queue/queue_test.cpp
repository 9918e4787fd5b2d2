#include "queue/queue.hpp"

#include <catch2/catch.hpp>

#include "base/manual_executor.hpp"
#include "framework/testing.hpp"

namespace coracle::scheduler {
namespace {

using namespace std::chrono_literals;
using testing::a_pod;
using testing::a_world;

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

TEST_CASE("what happened while a pod was tried wakes it if it helps who rejected it") {
  struct Case {
    const char* name;
    const char* pod;
    Events events;
    std::vector<const Plugin*> rejected_by;
    bool waits;  // for its back-off only
  };
  const std::vector<Case> cases{
      {"nothing", "a", 0, {&kHelpsOnlyA}, false},
      {"what helps", "a", event::kNodeAdded, {&kHelpsOnlyA}, true},
      {"what the plugin does not look at", "a", event::kPodGone, {&kHelpsOnlyA}, false},
      {"what helps others", "b", event::kNodeAdded, {&kHelpsOnlyA}, false},
      {"what helps one of two", "b", event::kNodeAdded, {&kHelpsOnlyA, &kPicky}, true},
      {"no plugin rejected it", "b", event::kPodGone, {}, true},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    ManualExecutor clock;
    Queue queue;
    const std::string key = std::string("default/") + c.pod;
    queue.put(a_pod("other").priority(1).info(), clock.now());
    queue.put(a_pod(c.pod).info(), clock.now());
    queue.take(clock.now());
    queue.on_change({.events = event::kNodeAdded}, clock.now());  // before it was taken
    queue.take(clock.now());
    if (c.events != 0) queue.on_change({.events = c.events}, clock.now());
    queue.park(key, c.rejected_by, clock.now());
    CHECK(queue.sizes() == Queue::Sizes{.backoff = c.waits, .parked = !c.waits, .taken = 1});
  }
}

TEST_CASE("what a node was changed to is looked at as it is when the pod is parked") {
  struct NeedsLabel final : Plugin {
    std::string_view name() const override { return "NeedsLabel"; }
    Events helped_by() const override { return event::kNodeLabels; }
    bool helps(const PodInfo&, const Change& change) const override {
      return change.node->facts().labels.contains("x");
    }
  };
  const NeedsLabel plugin;
  for (const bool stays : {true, false}) {
    ManualExecutor clock;
    Queue queue;
    Snapshot world = a_world({testing::a_node("n").label("x", "y")});
    queue.put(a_pod("p").info(), clock.now());
    queue.take(clock.now());
    queue.on_change({.events = event::kNodeLabels, .node = &world.nodes[0], .world = &world},
                    clock.now());
    if (!stays) world.remove_node(0);
    queue.park("default/p", {&plugin}, clock.now());
    CHECK(queue.sizes() == Queue::Sizes{.backoff = stays, .parked = !stays});
  }
}

TEST_CASE("who may have missed more changes than are kept is looked at again") {
  ManualExecutor clock;
  Queue queue;
  for (const char* name : {"early", "late"}) queue.put(a_pod(name).info(), clock.now());
  queue.take(clock.now());
  queue.on_change({.events = event::kPodGone}, clock.now());
  queue.take(clock.now());
  for (int i = 0; i < 1024; ++i) queue.on_change({.events = event::kPodGone}, clock.now());
  queue.park("default/early", {&kPicky}, clock.now());
  queue.park("default/late", {&kPicky}, clock.now());
  CHECK(queue.sizes() == Queue::Sizes{.backoff = 1, .parked = 1});
}

// What of the pod itself was changed, and whether that helps who rejected it.
TEST_CASE("an update wakes a parked pod if it may help who rejected it") {
  struct Minds final : Plugin {
    explicit Minds(Events events) : events_(events) {}
    std::string_view name() const override { return "Minds"; }
    Events helped_by() const override { return events_; }
    const Events events_;
  };
  const Minds labels(event::kOwnLabels), tolerations(event::kOwnTolerations),
      requests(event::kOwnRequests), claims(event::kOwnClaims);
  const a_pod plain = a_pod("p").cpu("2");
  struct Case {
    const char* name;
    const Plugin* plugin;
    a_pod now;
    bool helps;
  };
  const char* made = R"([{"name":"gpu","resourceClaimName":"p-gpu"}])";
  const std::vector<Case> cases{
      {"nothing", &labels, plain, false},
      {"a label", &labels, a_pod("p").cpu("2").label("a", "b"), true},
      {"a label, of no matter", &tolerations, a_pod("p").cpu("2").label("a", "b"), false},
      {"a toleration", &tolerations,
       a_pod("p").cpu("2").set("spec.tolerations", R"([{"operator":"Exists"}])"), true},
      {"less is asked for", &requests, a_pod("p").cpu("1"), true},
      {"more is asked for", &requests, a_pod("p").cpu("3"), false},
      {"a claim was made", &claims, a_pod("p").cpu("2").set("spec.resourceClaims", made), true},
  };
  for (const Case& c : cases) {
    for (const bool taken : {false, true}) {
      CAPTURE(c.name, taken);
      ManualExecutor clock;
      Queue queue;
      queue.put(plain.info(), clock.now());
      queue.take(clock.now());
      if (taken) queue.put(c.now.info(), clock.now());
      queue.park("default/p", {c.plugin}, clock.now());
      if (!taken) queue.put(c.now.info(), clock.now());
      CHECK(queue.sizes() == Queue::Sizes{.backoff = c.helps, .parked = !c.helps});
    }
  }
}

TEST_CASE("an update leaves a pod where it is") {
  ManualExecutor clock;
  Queue queue;
  queue.put(a_pod("p").info(), clock.now());
  queue.put(a_pod("p").label("a", "b").info(), clock.now());
  CHECK(queue.sizes() == Queue::Sizes{.active = 1});
  queue.take(clock.now());
  queue.put(a_pod("p").info(), clock.now());
  CHECK(queue.sizes() == Queue::Sizes{.taken = 1});
  queue.retry("default/p", clock.now());
  queue.put(a_pod("p").label("a", "c").info(), clock.now());
  CHECK(queue.sizes() == Queue::Sizes{.backoff = 1});
  CHECK(queue.find("default/p")->labels.contains("a"));
}

TEST_CASE("what went wrong is counted apart from being rejected") {
  ManualExecutor clock;
  Queue queue;
  queue.put(a_pod("p").info(), clock.now());
  const auto waits = [&](Duration wait) {
    CHECK(queue.next_due() == clock.now() + wait);
    clock.advance(wait);
    REQUIRE(queue.take(clock.now()) != nullptr);
  };
  queue.take(clock.now());
  for (const Duration wait : {1s, 2s, 4s}) {
    queue.park("default/p", {}, clock.now());
    queue.on_change({.events = event::kNodeAdded}, clock.now());
    waits(wait);
  }
  queue.retry("default/p", clock.now());
  waits(1s);
  queue.retry("default/p", clock.now());
  waits(2s);
  queue.park("default/p", {}, clock.now());
  queue.on_change({.events = event::kNodeAdded}, clock.now());
  waits(8s);
  queue.retry("default/p", clock.now());
  waits(1s);
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

// However a parked pod is to come back, PreEnqueue plugins are asked first.
TEST_CASE("a pod that is kept out meanwhile is gated and not tried") {
  const std::vector<std::function<void(Queue&, TimePoint)>> ways{
      [](Queue& queue, TimePoint now) { queue.on_change({.events = event::kNodeAdded}, now); },
      [](Queue& queue, TimePoint) { queue.activate("default/p"); },
      [](Queue& queue, TimePoint now) { queue.take(now + 5min); },
  };
  for (size_t way = 0; way < ways.size(); ++way) {
    CAPTURE(way);
    bool out = false;
    ManualExecutor clock;
    Queue queue({.keeps_out = [&out](const PodInfo&) { return out; }});
    queue.put(a_pod("p").info(), clock.now());
    queue.take(clock.now());
    queue.park("default/p", {&kPicky}, clock.now());
    out = true;
    ways[way](queue, clock.now());
    CHECK(queue.sizes() == Queue::Sizes{.gated = 1});
    CHECK(queue.look_at_gated(clock.now()) == 0);
    out = false;
    CHECK(queue.look_at_gated(clock.now()) == 1);
    CHECK(queue.sizes() == Queue::Sizes{.backoff = 1});  // it was tried: its back-off lasts
  }
}

TEST_CASE("a back-off that is over is not checked again, nor one that is called off") {
  for (const bool called : {false, true}) {
    bool out = false;
    ManualExecutor clock;
    Queue queue({.keeps_out = [&out](const PodInfo&) { return out; }});
    queue.put(a_pod("p").info(), clock.now());
    queue.take(clock.now());
    queue.retry("default/p", clock.now());
    out = true;
    if (called) queue.activate("default/p");
    CHECK(name(queue.take(clock.now() + 1s)) == "p");
  }
}

TEST_CASE("a pod that is called for while it is tried does not stay parked") {
  ManualExecutor clock;
  Queue queue;
  queue.put(a_pod("p").info(), clock.now());
  queue.activate("default/none");
  queue.activate("default/p");
  CHECK(queue.sizes() == Queue::Sizes{.active = 1});
  queue.take(clock.now());
  queue.activate("default/p");
  queue.park("default/p", {&kPicky}, clock.now());
  CHECK(queue.sizes() == Queue::Sizes{.backoff = 1});
}

}  // namespace
}  // namespace coracle::scheduler
