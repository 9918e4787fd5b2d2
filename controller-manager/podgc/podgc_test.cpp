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
