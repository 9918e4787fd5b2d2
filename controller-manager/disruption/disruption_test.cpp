#include <catch2/catch.hpp>

#include "base/yaml.hpp"
#include "disruption/disruption.hpp"

using namespace coracle;
using namespace coracle::controllers;

TEST_CASE("what a budget allows") {
  struct Case {
    const char* name;
    const char* spec;
    int ready;
    const char* counts;  // expected/desired/healthy/allowed
  };
  auto c = GENERATE(values<Case>({
      {"min 2 of 3", "minAvailable: 2", 3, "3/2/3/1"},
      {"min 3 of 3", "minAvailable: 3", 3, "3/3/3/0"},
      {"min 50%", "minAvailable: 50%", 3, "4/2/3/1"},
      {"max 1, one already down", "maxUnavailable: 1", 3, "4/3/3/0"},
      {"max 2, one already down", "maxUnavailable: 2", 3, "4/2/3/1"},
      {"nothing selected", "minAvailable: 1", 0, "0/1/0/0"},
  }));
  CAPTURE(c.name);
  FixedWorld world;
  world.put(gvr::kPodDisruptionBudgets,
            *parse_yaml_one("{metadata: {name: b, namespace: ns, generation: 1}, spec: {selector: "
                            "{matchLabels: {app: a}}, " +
                            std::string(c.spec) + "}}"));
  world.put(gvr::kReplicaSets,
            *parse_yaml_one("{metadata: {name: rs, namespace: ns, uid: r}, spec: {replicas: 4}}"));
  for (int i = 0; i < c.ready; ++i) {
    world.put(
        gvr::kPods,
        *parse_yaml_one("{metadata: {name: p" + std::to_string(i) +
                        ", namespace: ns, labels: {app: a}, ownerReferences: [{kind: ReplicaSet, "
                        "name: rs, uid: r, controller: true}]}, "
                        "status: {phase: Running, conditions: [{type: Ready, status: 'True'}]}}"));
  }
  const Plan plan = DisruptionController().reconcile(world.view(), "ns/b", {});
  REQUIRE(plan.writes.size() == 1);
  const json::value& s = *find(plan.writes[0].body, "status");
  CHECK(std::to_string(get_int(s, "expectedPods")) + "/" +
            std::to_string(get_int(s, "desiredHealthy")) + "/" +
            std::to_string(get_int(s, "currentHealthy")) + "/" +
            std::to_string(get_int(s, "disruptionsAllowed")) ==
        c.counts);
}
