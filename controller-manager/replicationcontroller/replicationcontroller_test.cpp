#include "replicationcontroller/replicationcontroller.hpp"

#include <catch2/catch.hpp>

#include "base/yaml.hpp"

using namespace coracle;
using namespace coracle::controllers;

namespace {

const Instant kNow{TimePoint(std::chrono::hours(1)), *parse_time("2026-01-01T12:00:00Z")};

json::value a_controller() {
  return *parse_yaml_one(R"(
apiVersion: v1
kind: ReplicationController
metadata: {name: web, namespace: ns, uid: rc-uid, generation: 2}
spec:
  replicas: 2
  selector: {app: web}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: nginx}]}
)");
}

json::value a_pod(const char* owners) {
  json::value pod = *parse_yaml_one(R"(
metadata: {namespace: ns, name: a, uid: uid-a, labels: {app: web}}
status: {phase: Running, conditions: [{type: Ready, status: 'True'}]}
)");
  set_path(pod, "metadata.ownerReferences", *parse_yaml_one(owners));
  return pod;
}

}  // namespace

TEST_CASE("a plain selector adopts, and the missing pod is made") {
  FixedWorld world;
  world.put(gvr::kReplicationControllers, a_controller());
  world.put(gvr::kPods, a_pod("[]"));
  const Plan plan = ReplicationManager().reconcile(world.view(), "ns/web", kNow);
  REQUIRE(plan.writes.size() == 3);
  CHECK(plan.writes[0].verb == Write::Verb::kPatch);
  CHECK(plan.writes[1].verb == Write::Verb::kCreate);
  CHECK(get_string(plan.writes[1].body, "metadata.generateName") == "web-");
  CHECK(get_string(get_array(plan.writes[1].body, "metadata.ownerReferences")[0], "kind") ==
        "ReplicationController");
  CHECK(plan.writes[1].done_reason == "SuccessfulCreate");
  CHECK(plan.writes[2].gvr == gvr::kReplicationControllers);
  CHECK(to_json(*find(plan.writes[2].body, "status")) ==
        R"({"availableReplicas":1,"fullyLabeledReplicas":1,"observedGeneration":2,)"
        R"("readyReplicas":1,"replicas":1})");
}

TEST_CASE("whose pod changed, and who may adopt it") {
  FixedWorld world;
  world.put(gvr::kReplicationControllers, a_controller());
  const auto keys = [&](const char* owners) {
    std::string all;
    const json::value pod = a_pod(owners);
    ReplicationManager().touched(world.view(), gvr::kPods, nullptr, &pod,
                                 [&](const std::string& key) { all += key + ";"; });
    return all;
  };
  CHECK(keys("[]") == "ns/web;");
  CHECK(keys("[{kind: ReplicationController, name: x, uid: u, controller: true}]") == "ns/x;");
  CHECK(keys("[{kind: ReplicaSet, name: x, uid: u, controller: true}]").empty());
}
