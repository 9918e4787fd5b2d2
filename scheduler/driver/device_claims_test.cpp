// Claims to devices through the driver: what is written before a bind, and taken back when it
// fails.
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

const std::string kBinding = "/api/v1/namespaces/default/pods/p/binding";
const std::string kPodStatus = "/api/v1/namespaces/default/pods/p/status";
const std::string kDeviceClaims = "/apis/resource.k8s.io/v1/resourceclaims?";
const std::string kClaim = "/apis/resource.k8s.io/v1/namespaces/default/resourceclaims/c";
const std::string kSlices = "/apis/resource.k8s.io/v1/resourceslices?";
const std::string kDeviceClasses = "/apis/resource.k8s.io/v1/deviceclasses?";

json::value a_claim(const std::string& name) {
  json::value claim = parsed(R"({"kind":"ResourceClaim","metadata":{"namespace":"default",
    "finalizers":["resource.kubernetes.io/delete-protection"]},"spec":{"devices":{"requests":[
    {"name":"r","exactly":{"deviceClassName":"gpu","allocationMode":"ExactCount","count":1}}]}}})");
  set_path(claim, "metadata.name", json::value(name));
  set_path(claim, "metadata.uid", json::value("uid-" + name));
  return claim;
}

// A node with two devices, and the pod "p" with those claims.
struct Devices : World {
  explicit Devices(const std::vector<json::value>& claims, Profile profile = default_profile())
      : World({a_node("n1")}, {}, {}, {std::move(profile)}) {
    for (const std::string& path : {kDeviceClaims, kSlices, kDeviceClasses}) {
      api.head(*stream(path));
    }
    send(kDeviceClasses, "ADDED", parsed(R"({"metadata":{"name":"gpu"},"spec":{}})"));
    send(kSlices, "ADDED", parsed(R"({"metadata":{"name":"s"},"spec":{"driver":"d.example.com",
      "nodeName":"n1","pool":{"name":"n1","generation":1,"resourceSliceCount":1},
      "devices":[{"name":"gpu-0"},{"name":"gpu-1"}]}})"));
    json::array uses;
    for (const json::value& claim : claims) {
      const std::string_view name = get_string(claim, "metadata.name");
      send(kDeviceClaims, "ADDED", claim);
      uses.push_back(json::object{{"name", name}, {"resourceClaimName", name}});
    }
    for (const std::string& path : {kDeviceClaims, kSlices, kDeviceClasses}) {
      send(path, "BOOKMARK", end());
    }
    send("/api/v1/pods?", "ADDED", a_pod("p").set("spec.resourceClaims", std::move(uses)).object());
    executor.run_ready();
  }

  // The next call but those that say in the pod's status where it will be: they are answered.
  FakeApi::Call next() {
    for (;;) {
      executor.run_ready();
      REQUIRE_FALSE(api.idle());
      const FakeApi::Call call = api.next_call();
      if (!call.request.target.starts_with(kPodStatus)) return call;
      call.reply(200, call.request.body);
    }
  }
  // Nothing else is asked.
  bool is_quiet() {
    executor.run_ready();
    while (!api.idle()) {
      const FakeApi::Call call = api.next_call();
      if (!call.request.target.starts_with(kPodStatus)) return false;
      call.reply(200, call.request.body);
      executor.run_ready();
    }
    return true;
  }
  FakeApi::Call next_write(const std::string& claim) {
    const FakeApi::Call call = next();
    CHECK(call.request.method == "PATCH");
    CHECK(call.request.target.starts_with(
        "/apis/resource.k8s.io/v1/namespaces/default/resourceclaims/" + claim + "/status"));
    return call;
  }
  FakeApi::Call expect_bind() {
    FakeApi::Call call = next();
    CHECK(call.request.method + " " + call.request.target == "POST " + kBinding);
    return call;
  }
  // The next write is the allocation and the reservation of the claim, which the server makes.
  void reserve(const std::string& name) {
    const auto write = next_write(name);
    CHECK(get_string(get_array(write.body(), "status.reservedFor").at(0), "uid") == "uid-p");
    json::value claim = a_claim(name);
    claim.as_object()["status"] = *find(write.body(), "status");
    write.reply(200, claim);
    send(kDeviceClaims, "MODIFIED", claim);
    executor.run_ready();
  }
  // The next write takes the reservation back.
  FakeApi::Call taken_back(const std::string& name) {
    const auto write = next_write(name);
    CHECK(write.body() == parsed(R"({"metadata":{"uid":"uid-)" + name + R"("},"status":{
      "reservedFor":[{"$patch":"delete","uid":"uid-p"}]}})"));
    return write;
  }
};

TEST_CASE("a failed bind leaves no claim reserved, before the pod is tried again") {
  Devices world({a_claim("c")});
  world.reserve("c");
  world.expect_bind().fail(409, "Conflict", "pod p is being changed");
  const auto undo = world.taken_back("c");
  // It is not overtaken by another try.
  world.executor.advance(30s);
  CHECK(world.scheduler.cache().is_assumed("default/p"));
  CHECK(world.api.idle());
  undo.reply(200, a_claim("c"));
  world.executor.run_ready();
  CHECK_FALSE(world.scheduler.cache().is_assumed("default/p"));
  CHECK(world.scheduler.cache().snapshot().reservations.empty());
  CHECK(world.scheduler.queue().sizes().backoff == 1);
}

TEST_CASE("a reservation that cannot be taken back does not keep the pod from its next try") {
  Devices world({a_claim("c")});
  world.reserve("c");
  world.expect_bind().fail(500, "InternalError", "no");
  world.taken_back("c").fail(500, "InternalError", "no");
  world.executor.run_ready();
  CHECK(world.scheduler.queue().sizes().backoff == 1);
  world.take_calls();
  world.executor.advance(1s);
  CHECK(world.take_calls().contains("POST " + kBinding));
}

TEST_CASE("of two claims the first is taken back when the second cannot be written") {
  Devices world({a_claim("c"), a_claim("d")});
  const auto first = world.next_write("c");
  first.reply(200, "{}");  // the world does not show it yet
  world.next_write("d").fail(409, "Conflict", "changed");
  const auto undo = world.taken_back("c");
  // Its devices are promised to it meanwhile.
  CHECK(world.scheduler.cache().snapshot().reservations.promised("uid-c") != nullptr);
  undo.reply(200, "{}");
  world.taken_back("d").reply(200, "{}");
  world.executor.run_ready();
  CHECK(world.scheduler.cache().snapshot().reservations.empty());
  CHECK(world.scheduler.queue().sizes().backoff == 1);
}

TEST_CASE("a write that is answered after the time for the bind is over is taken back") {
  Profile hasty = default_profile();
  hasty.bind_timeout = 2s;
  Devices world({a_claim("c")}, hasty);
  const auto late = world.next_write("c");
  world.executor.advance(3s);
  CHECK(world.scheduler.cache().is_assumed("default/p"));
  CHECK(world.is_quiet());
  late.reply(200, "{}");
  world.taken_back("c").reply(200, "{}");
  world.executor.run_ready();
  const auto calls = world.take_calls();
  CHECK(get_string(calls.at("POST /api/v1/namespaces/default/events").body(), "message") ==
        "running PreBind plugin \"DynamicResources\": context deadline exceeded");
  CHECK_FALSE(world.scheduler.cache().is_assumed("default/p"));
}

TEST_CASE("a pod waits until its devices are attached") {
  Devices world({a_claim("c")});
  const auto write = world.next_write("c");
  CHECK(get_string(write.body(), "status.allocation.allocationTimestamp") ==
        "2026-01-01T00:00:00Z");
  json::value claim = a_claim("c");
  claim.as_object()["status"] = *find(write.body(), "status");
  json::value& result =
      claim.at_pointer("/status/allocation/devices/results/0");  // as a driver would have it
  result.as_object()["bindingConditions"] = json::array{"Attached"};
  result.as_object()["bindingFailureConditions"] = json::array{"Broken"};
  const auto say = [&](const std::string& condition) {
    set_path(claim, "status.devices",
             parsed(R"([{"driver":"d.example.com","pool":"n1","device":"gpu-0","conditions":[
               {"type":")" +
                    condition + R"(","status":"True","reason":"X","message":"y"}]}])"));
    world.send(kDeviceClaims, "MODIFIED", claim);
  };
  write.reply(200, claim);
  world.send(kDeviceClaims, "MODIFIED", claim);
  world.take_calls();  // where it will be
  CHECK(world.scheduler.cache().is_assumed("default/p"));
  CHECK(world.scheduler.binds_in_flight() == 0);
  SECTION("they are") {
    say("Attached");
    world.executor.run_ready();
    world.expect_bind().reply(201, "{}");
    world.take_calls();
  }
  SECTION("they cannot be: they are given back, and the pod is tried again") {
    say("Broken");
    const auto back = world.next_write("c");
    CHECK(find(back.body(), "status.allocation")->is_null());
    back.reply(200, a_claim("c"));
    world.send(kDeviceClaims, "MODIFIED", a_claim("c"));
    const auto calls = world.take_calls();
    CHECK(get_string(calls.at("POST /api/v1/namespaces/default/events").body(), "message") ==
          "running PreBind plugin \"DynamicResources\": claim c binding failed: reason=X, "
          "message=\"y\"");
    CHECK(world.scheduler.queue().sizes().backoff == 1);
  }
  SECTION("they are not in time: the same") {
    world.executor.advance(599s);
    CHECK(world.scheduler.cache().is_assumed("default/p"));
    world.executor.advance(1s);
    const auto calls = world.take_calls();
    const auto back = calls.find("PATCH " + kClaim + "/status");
    REQUIRE(back != calls.end());
    CHECK(find(back->second.body(), "status.allocation")->is_null());
    CHECK(world.scheduler.queue().sizes().backoff == 1);
  }
}

TEST_CASE("a claim that is allocated where no node is gives its devices back, and gets others") {
  json::value stuck = a_claim("c");
  stuck.as_object()["status"] = parsed(R"({"allocation":{"devices":{"results":[{"request":"r",
    "driver":"d.example.com","pool":"gone","device":"gpu-0"}]},"nodeSelector":{
    "nodeSelectorTerms":[{"matchFields":[{"key":"metadata.name","operator":"In",
    "values":["gone"]}]}]}}})");
  Devices world({stuck});
  std::vector<FakeApi::Call> frees;
  std::string message;
  while (!world.api.idle()) {
    const FakeApi::Call call = world.api.next_call();
    if (call.request.target.starts_with(kClaim + "/status")) {
      frees.push_back(call);
      continue;
    }
    if (call.request.target.ends_with("/events")) message = get_string(call.body(), "message");
    call.reply(201, call.request.body);
    world.executor.run_ready();
  }
  CHECK(message ==
        "0/1 nodes are available: 1 resourceclaim not available on the node. deallocation of "
        "ResourceClaim completed, preemption: 0/1 nodes are available: 1 Preemption is not helpful "
        "for scheduling.");
  REQUIRE(frees.size() == 1);
  CHECK(find(frees[0].body(), "status.allocation")->is_null());
  SECTION("done: the next try allocates it anew") {
    frees[0].reply(200, a_claim("c"));
    world.send(kDeviceClaims, "MODIFIED", a_claim("c"));
    world.executor.advance(1s);
    world.reserve("c");
    world.expect_bind().reply(201, "{}");
    world.take_calls();
  }
  SECTION("in conflict: it is tried again after the back-off") {
    frees[0].fail(409, "Conflict", "changed");
    world.executor.run_ready();
    CHECK(world.api.idle());
    world.executor.advance(2s);
    CHECK(world.take_calls().contains("PATCH " + kClaim + "/status"));
  }
}

TEST_CASE("a bind that was done though its answer was lost keeps its claim") {
  Devices world({a_claim("c")});
  world.reserve("c");
  const auto bind = world.expect_bind();
  world.send("/api/v1/pods?", "MODIFIED", a_pod("p").on("n1").object());
  world.executor.run_ready();
  bind.fail(500, "InternalError", "connection reset");
  for (const auto& [call, answered] : world.take_calls()) {
    CHECK(call.find("resourceclaims") == std::string::npos);
  }
  CHECK(world.scheduler.cache().find_pod("default/p") != nullptr);
}

}  // namespace
}  // namespace coracle::scheduler
