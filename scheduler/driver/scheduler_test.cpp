#include "driver/scheduler.hpp"

#include <catch2/catch.hpp>

#include "base/manual_executor.hpp"
#include "client/fake_api.hpp"
#include "framework/testing.hpp"
#include "plugins/registry.hpp"

namespace coracle::scheduler {
namespace {

using namespace std::chrono_literals;
using client::FakeApi;
using testing::a_node;
using testing::a_pod;

const std::string kBinding = "/api/v1/namespaces/default/pods/p/binding";

// One leading scheduler whose informers are fed by the test.
struct World {
  explicit World(const std::vector<a_node>& nodes, const std::vector<a_pod>& pods) {
    scheduler.start();
    scheduler.lead();
    executor.run_ready();
    for (const char* path : {"/api/v1/namespaces?", "/api/v1/services?",
                             "/apis/apps/v1/replicasets?", "/api/v1/nodes?", "/api/v1/pods?"}) {
      api.head(*stream(path));
    }
    for (const a_node& node : nodes) send("/api/v1/nodes?", "ADDED", node.object());
    for (const a_pod& pod : pods) send("/api/v1/pods?", "ADDED", pod.object());
    for (const char* path : {"/api/v1/nodes?", "/api/v1/pods?"}) send(path, "BOOKMARK", end());
  }
  // A call that is left unanswered would leave its coroutine suspended for ever.
  ~World() {
    executor.run_ready();
    while (!api.idle()) {
      api.next_call().fail(403, "Forbidden");
      executor.run_ready();
    }
  }

  std::shared_ptr<FakeApi::Stream> stream(const std::string& path) {
    executor.run_ready();
    for (const auto& open : api.open_streams()) {
      if (open->request.target.starts_with(path)) return open;
    }
    CHECK_MSG(false, "nobody watches " << path);
    return nullptr;
  }
  void send(const std::string& path, const std::string& type, json::value object) {
    set_path(object, "metadata.resourceVersion", json::value(std::to_string(++version)));
    api.event(*stream(path), type, object);
  }
  json::value end() const {
    json::value mark = json::object();
    make_object(mark, "metadata.annotations")["k8s.io/initial-events-end"] = "true";
    return mark;
  }
  // The waiting calls as "METHOD target", each answered: events with 201, the rest with 200.
  std::map<std::string, FakeApi::Call> take_calls() {
    std::map<std::string, FakeApi::Call> calls;
    executor.run_ready();
    while (!api.idle()) {
      const FakeApi::Call call = api.next_call();
      const std::string& target = call.request.target;
      const bool created = call.request.method == "POST";
      call.reply(created ? 201 : 200, call.request.body);
      calls.emplace(call.request.method + " " + target.substr(0, target.find('?')), call);
      executor.run_ready();
    }
    return calls;
  }

  ManualExecutor executor;
  FakeApi api{executor};
  Metrics metrics;
  std::int64_t version = 100;
  Scheduler scheduler{executor, api, Rng(7), {default_profile()}, metrics};
};

TEST_CASE("a pod is bound by posting a Binding, and the event says where") {
  World world({a_node("n1")}, {a_pod("p").cpu("1")});
  const auto bind = world.api.expect("POST", kBinding);
  CHECK(bind.body() == testing::parsed(R"({"apiVersion":"v1","kind":"Binding",
    "metadata":{"name":"p","namespace":"default","uid":"uid-p"},
    "target":{"kind":"Node","name":"n1"}})"));
  CHECK(world.scheduler.binds_in_flight() == 1);
  CHECK(world.scheduler.cache().is_assumed("default/p"));
  bind.reply(201, R"({"kind":"Status","apiVersion":"v1","status":"Success"})");
  const auto calls = world.take_calls();
  CHECK(world.scheduler.binds_in_flight() == 0);
  CHECK(world.scheduler.queue().find("default/p") == nullptr);
  REQUIRE(calls.size() == 1);
  const json::value event = calls.at("POST /api/v1/namespaces/default/events").body();
  CHECK(get_string(event, "reason") == "Scheduled");
  CHECK(get_string(event, "type") == "Normal");
  CHECK(get_string(event, "message") == "Successfully assigned default/p to n1");
  CHECK(get_string(event, "involvedObject.uid") == "uid-p");
}

TEST_CASE("a bind in conflict is forgotten and tried again after the back-off") {
  World world({a_node("n1")}, {a_pod("p").cpu("1")});
  for (const Duration backoff : {Duration(1s), Duration(2s)}) {
    world.api.expect("POST", kBinding).fail(409, "Conflict", "pod p is being changed");
    world.executor.run_ready();
    CHECK_FALSE(world.scheduler.cache().is_assumed("default/p"));
    CHECK(world.scheduler.cache().find_pod("default/p") == nullptr);
    CHECK(world.scheduler.binds_in_flight() == 0);
    world.executor.advance(backoff - 1ms);
    CHECK(world.api.idle());
    world.executor.advance(1ms);
    CHECK_FALSE(world.api.idle());
  }
  world.api.expect("POST", kBinding).reply(201, "{}");
  CHECK(world.take_calls().contains("POST /api/v1/namespaces/default/events"));
  CHECK(world.scheduler.binds_in_flight() == 0);
}

TEST_CASE("a pod that fits nowhere gets the condition and the event") {
  World world({a_node("n1")}, {a_pod("p").cpu("5")});
  const std::string message =
      "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 "
      "Preemption is not helpful for scheduling.";
  const auto calls = world.take_calls();
  REQUIRE(calls.size() == 2);
  const auto& patch = calls.at("PATCH /api/v1/namespaces/default/pods/p/status");
  json::value expected = testing::parsed(R"({"metadata":{"uid":"uid-p"},"status":{"conditions":[
    {"type":"PodScheduled","status":"False","reason":"Unschedulable","lastProbeTime":null,
     "lastTransitionTime":"2026-01-01T00:00:00Z"}]}})");
  expected.at_pointer("/status/conditions/0").as_object()["message"] = message;
  CHECK(patch.body() == expected);
  const json::value event = calls.at("POST /api/v1/namespaces/default/events").body();
  CHECK(get_string(event, "reason") == "FailedScheduling");
  CHECK(get_string(event, "type") == "Warning");
  CHECK(get_string(event, "message") == message);
}

TEST_CASE("a parked pod is placed when a node that fits it comes") {
  World world({a_node("n1")}, {a_pod("p").cpu("5")});
  world.take_calls();
  world.send("/api/v1/nodes?", "ADDED", a_node("n2").has("cpu", "8").object());
  world.executor.advance(1s);
  const auto calls = world.take_calls();
  REQUIRE(calls.contains("POST " + kBinding));
  CHECK(get_string(calls.at("POST " + kBinding).body(), "target.name") == "n2");
}

TEST_CASE("after stop nothing more is sent") {
  World world({a_node("n1")}, {});
  world.scheduler.stop();
  world.send("/api/v1/pods?", "ADDED", a_pod("p").cpu("1").object());
  world.send("/api/v1/pods?", "ADDED", a_pod("q").cpu("50").object());
  world.executor.advance(30s);
  CHECK(world.api.idle());
  CHECK(world.scheduler.decisions().empty());
}

TEST_CASE("a bind that is refused after stop is not tried again") {
  World world({a_node("n1")}, {a_pod("p").cpu("1")});
  const auto bind = world.api.expect("POST", kBinding);
  world.scheduler.stop();
  bind.fail(409, "Conflict");
  world.executor.advance(30s);
  CHECK(world.api.idle());
  CHECK(world.scheduler.binds_in_flight() == 0);
}

}  // namespace
}  // namespace coracle::scheduler
