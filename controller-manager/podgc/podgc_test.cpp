#include <catch2/catch.hpp>

#include "base/yaml.hpp"
#include "podgc/podgc.hpp"

using namespace coracle;
using namespace coracle::controllers;

TEST_CASE("which pods nobody else removes") {
  struct Case {
    const char* name;
    const char* pod;
    bool node;
    bool removed;
  };
  auto c = GENERATE(values<Case>({
      {"on a living node", "spec: {nodeName: n1}", true, false},
      {"on a node that is gone", "spec: {nodeName: n1}", false, true},
      {"never bound, waiting", "spec: {}", false, false},
      {"never bound, deleted", "spec: {}, deleted", false, true},
  }));
  CAPTURE(c.name);
  const std::string text = c.pod;
  const bool deleted = text.find("deleted") != std::string::npos;
  FixedWorld world;
  world.put(
      gvr::kPods,
      *parse_yaml_one(
          "{metadata: {name: p, namespace: ns, uid: u, creationTimestamp: '2026-01-01T11:00:00Z'" +
          std::string(deleted ? ", deletionTimestamp: '2026-01-01T11:30:00Z'" : "") + "}, " +
          text.substr(0, text.find(", deleted")) + "}"));
  if (c.node) world.put(gvr::kNodes, *parse_yaml_one("{metadata: {name: n1}}"));
  const Instant now{TimePoint(), *parse_time("2026-01-01T12:00:00Z")};
  const Plan plan = PodGcController().reconcile(world.view(), "ns/p", now);
  REQUIRE(plan.writes.size() == (c.removed ? 1 : 0));
  if (c.removed) CHECK(plan.writes[0].delete_options.grace_period_seconds == 0);
}

TEST_CASE("a node not seen yet gets time to be seen") {
  FixedWorld world;
  world.put(gvr::kPods,
            *parse_yaml_one("{metadata: {name: p, namespace: ns, uid: u, creationTimestamp: "
                            "'2026-01-01T12:00:00Z'}, spec: {nodeName: n1}}"));
  const Instant now{TimePoint(), *parse_time("2026-01-01T12:00:10Z")};
  const Plan plan = PodGcController().reconcile(world.view(), "ns/p", now);
  CHECK(plan.writes.empty());
  CHECK(plan.again_after == std::chrono::seconds(30));
}

namespace {

void put_ended(FixedWorld& world, const char* name, const char* created, const char* status) {
  world.put(gvr::kPods,
            *parse_yaml_one(std::string("{metadata: {name: ") + name + ", namespace: ns, uid: u-" +
                            name + ", creationTimestamp: '2026-01-01T" + created +
                            "Z'}, spec: {nodeName: n1}, status: {" + status + "}}"));
}

std::vector<std::string> names(const Plan& plan) {
  std::vector<std::string> out;
  for (const Write& write : plan.writes) out.push_back(write.name);
  return out;
}

}  // namespace

TEST_CASE("pods that have ended are thinned out to the number that may stay") {
  using Names = std::vector<std::string>;
  FixedWorld world;
  put_ended(world, "oldest-runs", "01:00:00", "phase: Running");
  put_ended(world, "old", "02:00:00", "phase: Succeeded");
  put_ended(world, "b-older", "01:30:00", "phase: Failed, reason: Error");
  put_ended(world, "a-young", "03:00:00", "phase: Succeeded");
  put_ended(world, "evicted", "04:00:00", "phase: Failed, reason: Evicted");
  const Instant now{TimePoint(std::chrono::hours(1)), *parse_time("2026-01-01T12:00:00Z")};
  const auto plan_of = [&](std::int64_t ended_max, Instant when) {
    return PodGcController(ended_max).reconcile(world.view(), PodGcController::kEnded, when);
  };
  CHECK(names(plan_of(4, now)).empty());
  CHECK(names(plan_of(3, now)) == Names{"evicted"});
  CHECK(names(plan_of(1, now)) == Names{"evicted", "b-older", "old"});
  CHECK(plan_of(1, now).writes[0].delete_options.grace_period_seconds == 0);

  // One that is on its way counts no more.
  world.put(gvr::kPods, *parse_yaml_one("{metadata: {name: evicted, namespace: ns, uid: u-evicted, "
                                        "deletionTimestamp: '2026-01-01T11:00:00Z'}, "
                                        "status: {phase: Failed, reason: Evicted}}"));
  CHECK(names(plan_of(3, now)).empty());
  CHECK(names(plan_of(2, now)) == Names{"b-older"});

  // Twenty seconds are between two looks.
  world.memory[PodGcController::kEnded] = *plan_of(2, now).remember;
  const Instant soon{now.now + std::chrono::seconds(5), now.wall + std::chrono::seconds(5)};
  CHECK(names(plan_of(2, soon)).empty());
  CHECK(plan_of(2, soon).again_after == std::chrono::seconds(15));
  const Instant later{now.now + std::chrono::seconds(20), now.wall + std::chrono::seconds(20)};
  CHECK(names(plan_of(2, later)) == Names{"b-older"});
}

TEST_CASE("a pod asks whether too many have ended when it ends, once") {
  FixedWorld world;
  const auto asked = [&](const char* before, const char* after, std::int64_t ended_max) {
    const auto pod = [](const char* phase) {
      return *parse_yaml_one(std::string("{metadata: {name: p, namespace: ns}, status: {phase: ") +
                             phase + "}}");
    };
    const json::value old = pod(before), now = pod(after);
    int times = 0;
    PodGcController(ended_max).touched(
        world.view(), gvr::kPods, &old, &now,
        [&](const std::string& key) { times += key == PodGcController::kEnded; });
    return times;
  };
  CHECK(asked("Running", "Succeeded", 10) == 1);
  CHECK(asked("Succeeded", "Succeeded", 10) == 0);
  CHECK(asked("Pending", "Running", 10) == 0);
  CHECK(asked("Running", "Failed", 0) == 0);  // all may stay
}
