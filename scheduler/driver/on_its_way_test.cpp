// Pods whose bind is held up or fails, and victims of a preemption, through the driver: what
// upstream's tests of a scheduling cycle and of preemption ask for.
#include <catch2/catch.hpp>

#include "driver/testing.hpp"

namespace coracle::scheduler {
namespace {

using namespace std::chrono_literals;
using client::FakeApi;
using testing::a_node;
using testing::a_pod;
using testing::parsed;
using testing::World;

const std::string kPod = "/api/v1/namespaces/default/pods/p";
const std::string kEvents = "/api/v1/namespaces/default/events";

// Holds up every bind until its time is up.
class Waits final : public Plugin {
 public:
  std::string_view name() const override { return "Waits"; }
  Permission permit(const PodInfo&, const std::string&, const Snapshot&) const override {
    return {Verdict::not_now("not yet"), 60s};
  }
};

Profile that_waits() {
  Profile profile = default_profile();
  profile.plugins.push_back(std::make_shared<Waits>());
  profile.at(Point::kPermit).push_back(profile.plugins.back().get());
  return profile;
}

// Before its bind a claim of it has to be written.
class Prepares final : public Plugin {
 public:
  std::string_view name() const override { return "Prepares"; }
  Writes before_bind(const PodInfo& pod, const std::string&, const Snapshot&) const override {
    return {{PreBindWrite::Target::kClaim, pod.ns, "c", "", json::object()}};
  }
};

// "p" on its way to n1; its write is to be answered.
struct OnItsWay : World {
  explicit OnItsWay(const std::vector<a_pod>& pods = {a_pod("p").cpu("3").claim("c")})
      : World({a_node("n1")}, pods, {claim()}, {profile()}) {}
  static json::value claim() {
    return parsed(R"({"kind":"PersistentVolumeClaim","metadata":{"name":"c","namespace":"default",
      "annotations":{"pv.kubernetes.io/bind-completed":"yes"}},"spec":{"volumeName":"v"}})");
  }
  static Profile profile() {
    Profile profile = default_profile();
    profile.plugins.push_back(std::make_shared<Prepares>());
    profile.at(Point::kPreBind).push_back(profile.plugins.back().get());
    return profile;
  }
  // Those that are no answer's business are answered; the write is left.
  FakeApi::Call write() {
    for (;;) {
      executor.run_ready();
      REQUIRE_FALSE(api.idle());
      const FakeApi::Call call = api.next_call();
      if (call.request.target.find("/persistentvolumeclaims/c") != std::string::npos) return call;
      others.push_back(call);
      call.reply(200, call.request.body);
    }
  }
  std::vector<FakeApi::Call> others;
};

TEST_CASE("the status of a pod whose bind is held up says where it will be") {
  World world({a_node("n1")}, {a_pod("p").cpu("1")}, {}, {that_waits()});
  auto calls = world.take_calls();
  REQUIRE(calls.contains("PATCH " + kPod + "/status"));
  CHECK(calls.at("PATCH " + kPod + "/status").body() ==
        parsed(R"({"metadata":{"uid":"uid-p"},"status":{"nominatedNodeName":"n1"}})"));
  // Whether that is shown already or not.
  const bool shown = GENERATE(true, false);
  CAPTURE(shown);
  if (shown) {
    world.send("/api/v1/pods?", "MODIFIED",
               a_pod("p").cpu("1").set("status.nominatedNodeName", "\"n1\"").object());
  }
  world.executor.advance(60s);
  calls = world.take_calls();
  const json::value patch = calls.at("PATCH " + kPod + "/status").body();
  CHECK(find(patch, "status.nominatedNodeName")->is_null());
  CHECK(get_string(get_array(patch, "status.conditions").at(0), "message") ==
        "0/1 nodes are available: 1 rejected due to timeout after waiting 60s at plugin Waits.");
}

TEST_CASE("a pod whose claims are written first: where it will be, and why not") {
  OnItsWay world;
  const auto write = world.write();
  SECTION("it is bound") {
    write.reply(200, "{}");
    CHECK(world.take_calls().contains("POST " + kPod + "/binding"));
  }
  SECTION("it is not") {
    write.fail(403, "Forbidden", "no");
    const auto calls = world.take_calls();
    CHECK_FALSE(calls.contains("POST " + kPod + "/binding"));
    CHECK(get_string(calls.at("POST " + kEvents).body(), "message") ==
          "running PreBind plugin \"Prepares\": no");
    CHECK(world.scheduler.queue().sizes().backoff == 1);
  }
  SECTION("in conflict: it is tried again, and nobody told") {
    world.take_calls();  // its status says where it will be
    write.fail(409, "Conflict", "changed");
    const auto calls = world.take_calls();
    CHECK_FALSE(calls.contains("POST " + kEvents));
    const json::value patch = calls.at("PATCH " + kPod + "/status").body();
    CHECK(find(patch, "status.nominatedNodeName")->is_null());
    CHECK(world.scheduler.queue().sizes().backoff == 1);
  }
}

TEST_CASE("a victim that is on its way to the node is stopped, not deleted") {
  OnItsWay world;
  const auto write = world.write();
  world.send("/api/v1/pods?", "ADDED", a_pod("vip").cpu("3").priority(5).object());
  auto calls = world.take_calls();
  CHECK_FALSE(calls.contains("DELETE " + kPod));
  CHECK(calls.contains("PATCH /api/v1/namespaces/default/pods/vip/status"));
  CHECK(world.scheduler.cache().is_assumed("default/p"));  // until its write is answered
  write.reply(200, "{}");
  world.executor.advance(1s);
  calls = world.take_calls();
  CHECK(calls.contains("POST /api/v1/namespaces/default/pods/vip/binding"));
  CHECK_FALSE(calls.contains("POST " + kPod + "/binding"));
  CHECK_FALSE(calls.contains("DELETE " + kPod));
}

a_pod resident(const char* name) { return a_pod(name).cpu("2").on("n1"); }

TEST_CASE("a victim that has the condition already is only deleted") {
  const a_pod marked = resident("a").set("status.conditions", R"([{"type":"DisruptionTarget",
    "status":"True","reason":"PreemptionByScheduler"}])");
  World world({a_node("n1")}, {marked, a_pod("p").cpu("3").priority(5)});
  const auto calls = world.take_calls();
  CHECK_FALSE(calls.contains("PATCH /api/v1/namespaces/default/pods/a/status"));
  CHECK(calls.contains("DELETE /api/v1/namespaces/default/pods/a"));
}

TEST_CASE("when the first victim cannot be made leave, the second stays") {
  World world({a_node("n1")}, {resident("a"), resident("b"), a_pod("p").cpu("4").priority(5)});
  std::vector<std::string> asked;
  world.executor.run_ready();
  while (!world.api.idle() && asked.size() < 2) {
    const auto call = world.api.next_call();
    if (call.request.target.find("/pods/a/status") != std::string::npos ||
        call.request.target.find("/pods/b/status") != std::string::npos) {
      asked.push_back(call.request.target);
      call.fail(500, "InternalError", "no");
    } else {
      call.reply(200, call.request.body);
    }
    world.executor.run_ready();
  }
  // The pod is looked at again at once, and asks the same one first.
  REQUIRE(asked.size() == 2);
  CHECK(asked[0] == asked[1]);
}

TEST_CASE("a pod is not tried while its victims are being asked to leave") {
  World world({a_node("n1")}, {resident("a"), resident("b"), a_pod("p").cpu("4").priority(5)});
  std::optional<FakeApi::Call> held;
  world.executor.run_ready();
  while (!world.api.idle()) {
    const auto call = world.api.next_call();
    if (call.request.method == "DELETE" && !held) {
      held = call;
    } else {
      call.reply(200, call.request.body);
    }
    world.executor.run_ready();
  }
  REQUIRE(held.has_value());
  world.send("/api/v1/nodes?", "ADDED", a_node("n2").object());
  world.executor.advance(20s);
  CHECK(world.api.idle());
  CHECK(world.scheduler.queue().sizes().gated == 1);
  held->reply(200, "{}");
  CHECK(world.take_calls().contains("POST " + kPod + "/binding"));
}

TEST_CASE("a pod that is being deleted is not tried, and told so once") {
  const a_pod pod = a_pod("p").cpu("9");
  World world({a_node("n1")}, {pod});
  world.take_calls();
  a_pod deleting = pod;
  deleting.set("metadata.deletionTimestamp", R"("2026-01-01T00:00:00Z")");
  for (int i = 0; i < 2; ++i) {
    world.send("/api/v1/pods?", "MODIFIED", deleting.object());
    const auto calls = world.take_calls();
    CHECK(calls.contains("POST " + kEvents) == (i == 0));
    if (i == 0) {
      CHECK(get_string(calls.at("POST " + kEvents).body(), "message") ==
            "skip schedule deleting pod: default/p");
    }
  }
  CHECK(world.scheduler.queue().find("default/p") == nullptr);
}

}  // namespace
}  // namespace coracle::scheduler
