#include "driver/scheduler.hpp"

#include <catch2/catch.hpp>

#include "driver/testing.hpp"

namespace coracle::scheduler {
namespace {

using namespace std::chrono_literals;
using client::FakeApi;
using testing::a_node;
using testing::a_pod;
using testing::kClaims;
using testing::kClasses;
using testing::kVolumes;
using testing::volume_of;
using testing::World;

const std::string kBinding = "/api/v1/namespaces/default/pods/p/binding";
const char* const kTaken =
    "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already "
    "in-use by another pod";

json::value a_claim(const std::string& name, const std::string& mode) {
  json::value claim = testing::parsed(R"({"kind":"PersistentVolumeClaim","metadata":{
    "namespace":"default"}})");
  set_path(claim, "metadata.name", json::value(name));
  make_object(claim, "spec")["accessModes"] = json::array{json::value(mode)};
  set_path(claim, "spec.volumeName", json::value("pv-" + name));
  make_object(claim, "metadata.annotations")["pv.kubernetes.io/bind-completed"] = "yes";
  return claim;
}

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

// "a" was placed by a scheduler before us: its annotation tells its device.
TEST_CASE("a pod that shares a GPU is bound with its device, beside those placed before us") {
  PluginChoice choice = default_choice();
  for (const Point point : {Point::kPreFilter, Point::kFilter, Point::kReserve}) {
    choice.at[static_cast<size_t>(point)].emplace_back("GpuShare");
  }
  const auto gpu = [](const std::string& name, const char* milli) {
    return a_pod(name).request("lab.coracle.dev/gpu-milli", milli);
  };
  World world({a_node("n1").has("lab.coracle.dev/gpu-milli", "2000")},
              {gpu("a", "700")
                   .on("n1")
                   .set("metadata.annotations", R"({"lab.coracle.dev/gpu-devices":"0"})"),
               gpu("p", "600")},
              {}, {make_profile(choice, {})});
  const auto bind = world.api.expect("POST", kBinding);
  CHECK(get_object(bind.body(), "metadata.annotations") ==
        json::object{{"lab.coracle.dev/gpu-devices", "1"}});
  const NodeInfo* node = world.scheduler.cache().find_node("n1");
  CHECK(node->gpus().free() == std::vector<int>{300, 400});
  bind.fail(409, "Conflict", "pod p is being changed");
  world.executor.run_ready();
  CHECK(node->gpus().free() == std::vector<int>{300, 1000});
  CHECK(world.scheduler.cache().snapshot().reservations.empty());
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

TEST_CASE("victims are told why, deleted, and the pod gets their place") {
  const a_pod vip = a_pod("p").cpu("3").priority(5);
  World world({a_node("n1")}, {a_pod("a").cpu("2").on("n1"), vip});
  const std::string victim = "/api/v1/namespaces/default/pods/a";
  auto calls = world.take_calls();
  REQUIRE(calls.contains("PATCH " + victim + "/status"));
  CHECK(calls.at("PATCH " + victim + "/status").body() == testing::parsed(R"({
    "metadata":{"uid":"uid-a"},"status":{"conditions":[{"type":"DisruptionTarget","status":"True",
    "reason":"PreemptionByScheduler",
    "message":"default-scheduler: preempting to accommodate a higher priority pod",
    "lastProbeTime":null,"lastTransitionTime":"2026-01-01T00:00:00Z"}]}})"));
  REQUIRE(calls.contains("DELETE " + victim));
  CHECK(get_string(calls.at("DELETE " + victim).body(), "preconditions.uid") == "uid-a");
  const auto& status = calls.at("PATCH /api/v1/namespaces/default/pods/p/status");
  CHECK(get_string(status.body(), "status.nominatedNodeName") == "n1");
  CHECK(get_string(status.body().at_pointer("/status/conditions/0"), "message") ==
        "0/1 nodes are available: 1 Insufficient cpu.");

  // A less important one does not get the place that is being made.
  world.send("/api/v1/pods?", "ADDED", a_pod("q").cpu("3").object());
  world.send("/api/v1/pods?", "DELETED", a_pod("a").cpu("2").on("n1").object());
  world.executor.advance(1s);
  calls = world.take_calls();
  CHECK(calls.contains("POST " + kBinding));
  CHECK_FALSE(calls.contains("POST /api/v1/namespaces/default/pods/q/binding"));
  CHECK(world.scheduler.cache().snapshot().nominations.empty());
}

TEST_CASE("when a victim cannot be made leave, the pod is looked at again at once") {
  World world({a_node("n1")}, {a_pod("a").cpu("2").on("n1"), a_pod("p").cpu("3").priority(5)});
  for (int attempt = 0; attempt < 2; ++attempt) {
    bool asked = false;
    world.executor.run_ready();
    while (!world.api.idle() && !asked) {
      const auto call = world.api.next_call();
      asked = call.request.target.find("/pods/a/status") != std::string::npos;
      if (asked) {
        call.fail(500, "InternalError", "no");
      } else {
        call.reply(200, call.request.body);
      }
    }
    CHECK(asked);
  }
}

TEST_CASE("a nominated pod of a scheduler before us keeps its place, until it is gone") {
  const a_pod waits = a_pod("w")
                          .cpu("3")
                          .priority(5)
                          .set("status.nominatedNodeName", "\"n1\"")
                          .set("spec.schedulingGates", R"([{"name":"held"}])");
  World world({a_node("n1")}, {waits, a_pod("p").cpu("3")});
  CHECK_FALSE(world.take_calls().contains("POST " + kBinding));
  world.send("/api/v1/pods?", "DELETED", waits.object());
  world.executor.advance(1s);
  CHECK(world.take_calls().contains("POST " + kBinding));
}

TEST_CASE("after stop nothing more is sent") {
  World world({a_node("n1")}, {});
  world.scheduler.stop();
  world.send("/api/v1/pods?", "ADDED", a_pod("p").cpu("1").object());
  world.send("/api/v1/pods?", "ADDED", a_pod("q").cpu("50").object());
  world.executor.advance(30s);
  CHECK(world.api.idle());
  CHECK(world.scheduler.decisions().size() == 0);
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

TEST_CASE("a ReadWriteOncePod claim goes to one pod after another") {
  const auto user = [](const char* name) { return a_pod(name).claim("c"); };
  World world({a_node("n1"), a_node("n2")}, {user("p"), user("q")},
              {a_claim("c", "ReadWriteOncePod")});
  // p's bind is under way, which is enough to keep q out.
  const auto bind = world.api.expect("POST", kBinding);
  auto calls = world.take_calls();
  const std::string status = "PATCH /api/v1/namespaces/default/pods/q/status";
  REQUIRE(calls.contains(status));
  CHECK(get_string(calls.at(status).body().at_pointer("/status/conditions/0"), "message") ==
        std::string("0/2 nodes are available: 2 ") + kTaken +
            ". preemption: 0/2 nodes are available: 2 No preemption victims found for incoming "
            "pod.");
  bind.reply(201, "{}");
  world.send("/api/v1/pods?", "MODIFIED", user("p").on("n1").object());
  world.executor.advance(30s);
  CHECK(world.scheduler.queue().sizes().parked == 1);
  CHECK(world.take_calls().count("POST /api/v1/namespaces/default/pods/q/binding") == 0);
  // p ends: the informer shows pods that have ended as gone.
  world.send("/api/v1/pods?", "DELETED", user("p").on("n1").object());
  world.executor.advance(1s);
  CHECK(world.take_calls().contains("POST /api/v1/namespaces/default/pods/q/binding"));
}

TEST_CASE("a refused bind gives back what was reserved for it") {
  const auto user = [](const char* name) { return a_pod(name).claim("c"); };
  World world({a_node("n1")}, {user("p"), user("q")}, {a_claim("c", "ReadWriteOncePod")});
  const auto bind = world.api.expect("POST", kBinding);
  world.take_calls();
  CHECK(world.scheduler.cache().snapshot().reservations.is_taken("default/c", "uid-q"));
  bind.fail(409, "Conflict", "pod p is being changed");
  world.executor.run_ready();
  CHECK(world.scheduler.cache().snapshot().reservations.empty());
  world.send("/api/v1/pods?", "DELETED", user("p").object());
  world.executor.advance(2s);
  CHECK(world.take_calls().contains("POST /api/v1/namespaces/default/pods/q/binding"));
}

TEST_CASE("a pod whose claim is not there is placed when the claim comes") {
  World world({a_node("n1")}, {a_pod("p").claim("c")});
  const auto calls = world.take_calls();
  const json::value event = calls.at("POST /api/v1/namespaces/default/events").body();
  CHECK(get_string(event, "message") ==
        "0/1 nodes are available: persistentvolumeclaim \"c\" not found. preemption: 0/1 nodes are "
        "available: 1 Preemption is not helpful for scheduling.");
  world.send(kClaims, "ADDED", a_claim("d", "ReadWriteOnce"));
  world.executor.advance(5s);
  CHECK(world.scheduler.queue().sizes().parked == 1);
  const json::value claim = a_claim("c", "ReadWriteOnce");
  world.send(kVolumes, "ADDED", volume_of(claim));
  world.send(kClaims, "ADDED", claim);
  world.executor.advance(1s);
  CHECK(world.take_calls().contains("POST " + kBinding));
}

// Takes nothing and says no, or breaks, when the node is chosen.
class Reluctant final : public Plugin {
 public:
  explicit Reluctant(Verdict verdict) : verdict_(std::move(verdict)) {}
  std::string_view name() const override { return "Reluctant"; }
  Verdict reserve(const PodInfo&, const std::string&, const Snapshot&,
                  Reservations&) const override {
    return verdict_;
  }

 private:
  const Verdict verdict_;
};

TEST_CASE("a plugin that does not reserve keeps the pod from being bound") {
  struct Case {
    const char* name;
    Verdict verdict;
    std::string message;
    Queue::Sizes sizes;
  };
  const std::vector<Case> cases{
      {"not now",
       Verdict::not_now("it is spoken for"),
       "0/1 nodes are available: 1 it is spoken for.",
       {.parked = 1}},
      {"broken",
       Verdict::broken(Status(Code::kUnavailable, "no answer")),
       "running Reserve plugin \"Reluctant\": Unavailable: no answer",
       {.backoff = 1}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    Profile profile = default_profile();
    profile.plugins.push_back(std::make_shared<Reluctant>(c.verdict));
    profile.at(Point::kReserve).push_back(profile.plugins.back().get());
    World world({a_node("n1"), a_node("n2")}, {a_pod("p").claim("c")},
                {a_claim("c", "ReadWriteOncePod")}, {profile});
    const auto calls = world.take_calls();
    CHECK_FALSE(calls.contains("POST " + kBinding));
    const json::value event = calls.at("POST /api/v1/namespaces/default/events").body();
    CHECK(get_string(event, "message") == c.message);
    CHECK(world.scheduler.cache().find_pod("default/p") == nullptr);
    CHECK(world.scheduler.cache().snapshot().reservations.empty());
    CHECK(world.scheduler.queue().sizes() == c.sizes);
    REQUIRE(world.scheduler.decisions().size() == 1);
    CHECK(world.scheduler.decisions().all().front()->decision.node.empty());
  }
}

TEST_CASE("a claim that waits for its consumer is bound before the pod is") {
  const a_pod pod = a_pod("p").claim("c");
  World world({a_node("n1")}, {});
  world.send(kClasses, "ADDED", testing::parsed(R"({"metadata":{"name":"late"},
    "provisioner":"kubernetes.io/no-provisioner","volumeBindingMode":"WaitForFirstConsumer"})"));
  json::value claim = testing::parsed(R"({"metadata":{"name":"c","namespace":"default",
    "uid":"u-c"},"spec":{"storageClassName":"late","accessModes":["ReadWriteOnce"],
    "resources":{"requests":{"storage":"1Gi"}}}})");
  world.send(kClaims, "ADDED", claim);
  json::value volume = testing::parsed(R"({"metadata":{"name":"v"},"spec":{
    "storageClassName":"late","accessModes":["ReadWriteOnce"],"capacity":{"storage":"1Gi"}},
    "status":{"phase":"Available"}})");
  world.send(kVolumes, "ADDED", volume);
  world.send("/api/v1/pods?", "ADDED", pod.object());
  world.executor.run_ready();
  const auto patch = world.api.next_call();
  CHECK(patch.request.method == "PATCH");
  CHECK(patch.request.target.starts_with("/api/v1/persistentvolumes/v"));
  CHECK(get_string(patch.body(), "spec.claimRef.uid") == "u-c");
  CHECK(world.scheduler.cache().is_assumed("default/p"));

  SECTION("done: the bind follows when the claim shows as bound") {
    patch.reply(200, volume);
    CHECK_FALSE(world.take_calls().contains("POST " + kBinding));
    set_path(claim, "spec.volumeName", json::value("v"));
    make_object(claim, "metadata.annotations")["pv.kubernetes.io/bind-completed"] = "yes";
    world.send(kClaims, "MODIFIED", claim);
    world.executor.run_ready();
    world.api.expect("POST", kBinding).reply(201, R"({"kind":"Status","status":"Success"})");
    world.take_calls();
  }
  SECTION("in conflict: it is tried again") {
    patch.fail(409, "Conflict", "changed");
    world.executor.run_ready();
    CHECK_FALSE(world.scheduler.cache().is_assumed("default/p"));
    world.take_calls();
    world.executor.advance(1s);
    CHECK(world.take_calls().contains("PATCH /api/v1/persistentvolumes/v"));
    world.send("/api/v1/pods?", "DELETED", pod.object());
    world.executor.run_ready();
  }
  SECTION("too late: the pod is told") {
    patch.reply(200, volume);
    world.executor.run_ready();
    world.executor.advance(600s);
    const auto calls = world.take_calls();
    CHECK(get_string(calls.at("POST /api/v1/namespaces/default/events").body(), "message") ==
          "running PreBind plugin \"VolumeBinding\": context deadline exceeded");
  }
  SECTION("the pod is gone") {
    world.take_calls();
    world.send("/api/v1/pods?", "DELETED", pod.object());
    patch.reply(200, volume);
    world.executor.advance(700s);
    for (const auto& [call, what] : world.take_calls()) CHECK(call.starts_with("GET "));
  }
}

}  // namespace
}  // namespace coracle::scheduler
