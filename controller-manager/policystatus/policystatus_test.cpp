#include "policystatus/policystatus.hpp"

#include <catch2/catch.hpp>

#include "base/yaml.hpp"

using namespace coracle;
using namespace coracle::controllers;

namespace {

json::value policy(const std::string& group, const std::string& plural,
                   const std::string& expression) {
  return *parse_yaml_one(
      "{metadata: {name: p, generation: 2}, spec: {matchConstraints: "
      "{resourceRules: [{apiGroups: ['" +
      group + "'], apiVersions: [v1], operations: [CREATE], resources: [" + plural +
      "]}]}, validations: [{expression: \"" + expression + "\"}]}}");
}

std::string status_after(FixedWorld& world) {
  const Plan plan = PolicyStatusController().reconcile(world.view(), "p", {});
  REQUIRE(plan.writes.size() == 1);
  CHECK(plan.writes[0].verb == Write::Verb::kUpdateStatus);
  return to_json(*find(plan.writes[0].body, "status"));
}

}  // namespace

TEST_CASE("expressions that fit their objects leave an empty note") {
  FixedWorld world;
  world.put(gvr::kAdmissionPolicies, policy("apps", "deployments", "object.spec.replicas < 5"));
  CHECK(status_after(world) == R"({"observedGeneration":2,"typeChecking":{}})");
}

TEST_CASE("fields that kinds do not have are warned of, kind by kind") {
  FixedWorld world;
  world.put(gvr::kAdmissionPolicies,
            policy("apps", "'*', deployments, replicasets", "object.spec.strategy.size > 5"));
  const std::string status = status_after(world);
  CHECK(status.find(R"("fieldRef":"spec.validations[0].expression")") != std::string::npos);
  CHECK(status.find("apps/v1, Kind=Deployment: ERROR: <input>:1:21: undefined field 'size'") !=
        std::string::npos);
  CHECK(status.find("apps/v1, Kind=ReplicaSet: ERROR: <input>:1:12: undefined field 'strategy'") !=
        std::string::npos);
}

TEST_CASE("custom kinds are known by their definitions") {
  FixedWorld world;
  world.put(gvr::kCustomResourceDefinitions, *parse_yaml_one(R"(
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget, listKind: WidgetList}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties: {spec: {type: object, properties: {size: {type: integer}}}}
status:
  acceptedNames: {kind: Widget, plural: widgets, singular: widget, listKind: WidgetList}
)"));
  world.put(gvr::kAdmissionPolicies, policy("example.com", "widgets", "object.spec.size == 'x'"));
  const std::string status = status_after(world);
  INFO(status);
  CHECK(status.find("example.com/v1, Kind=Widget: ERROR: <input>:1:18: found no "
                    "matching overload for '_==_' applied to '(int, string)'") !=
        std::string::npos);
}

TEST_CASE("what was looked at is not looked at again") {
  FixedWorld world;
  json::value seen = policy("apps", "deployments", "object.spec.nope");
  seen.get_object()["status"] = *parse_yaml_one("{observedGeneration: 2}");
  world.put(gvr::kAdmissionPolicies, seen);
  CHECK(PolicyStatusController().reconcile(world.view(), "p", {}).writes.empty());
}
