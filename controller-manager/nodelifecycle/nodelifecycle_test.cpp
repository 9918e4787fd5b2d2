#include <catch2/catch.hpp>

#include "base/yaml.hpp"
#include "nodelifecycle/nodelifecycle.hpp"

using namespace coracle;
using namespace coracle::controllers;
using namespace std::chrono_literals;

namespace {

const WallTime kNoon = *parse_time("2026-01-01T12:00:00Z");

json::value node(const std::string& ready, const std::string& extra = "") {
  return *parse_yaml_one(
      "{apiVersion: v1, kind: Node, metadata: {name: n1, uid: u, resourceVersion: '7', "
      "creationTimestamp: '2026-01-01T10:00:00Z'}, spec: {" +
      extra + "}, status: {conditions: [{type: Ready, status: '" + ready +
      "', lastHeartbeatTime: '2026-01-01T11:59:00Z'}]}}");
}

json::value lease(const std::string& renewed) {
  return *parse_yaml_one("{metadata: {name: n1, namespace: kube-node-lease}, spec: {renewTime: '" +
                         renewed + "'}}");
}

json::value pod(const std::string& tolerations) {
  return *parse_yaml_one(
      "{metadata: {name: p, namespace: ns, uid: p}, spec: {nodeName: n1, tolerations: " +
      tolerations + "}, status: {phase: Running}}");
}

std::string verbs(const Plan& plan) {
  std::string text;
  for (const Write& w : plan.writes) {
    text += (w.verb == Write::Verb::kDelete ? "delete " : "patch ") + w.gvr.plural +
            (w.subresource.empty() ? "" : "/" + w.subresource) + "; ";
  }
  return text;
}

Plan reconcile(FixedWorld& world, WallTime now, WallTime started = kNoon - 1h) {
  return NodeLifecycleController(40s, started).reconcile(world.view(), "n1", {TimePoint(1h), now});
}

}  // namespace

TEST_CASE("a node that renews is left alone until its grace would end") {
  FixedWorld world;
  world.put(gvr::kNodes, node("True"));
  world.put(gvr::kLeases, lease("2026-01-01T11:59:50.000000Z"));
  const Plan plan = reconcile(world, kNoon);
  CHECK(plan.writes.empty());
  CHECK(plan.again_after == 30s);
  REQUIRE(plan.events.size() == 1);
  CHECK(plan.events[0].reason == "RegisteredNode");
  CHECK(plan.events[0].message == "Node n1 event: Registered Node n1 in Controller");
  world.memory["n1"] = *plan.remember;
  CHECK(reconcile(world, kNoon).events.empty());
}

TEST_CASE("a silent node becomes unknown, then unreachable") {
  FixedWorld world;
  world.put(gvr::kNodes, node("True"));
  world.put(gvr::kLeases, lease("2026-01-01T11:59:00.000000Z"));
  Plan plan = reconcile(world, kNoon);
  CHECK(verbs(plan) == "patch nodes/status; ");
  CHECK(get_string(get_array(plan.writes[0].body, "status.conditions").at(0), "reason") ==
        "NodeStatusUnknown");
  // Right after a start nobody is blamed.
  CHECK(reconcile(world, kNoon, kNoon - 5s).again_after == 35s);

  json::value unknown = node("True");
  set_path(unknown, "status.conditions", *find(plan.writes[0].body, "status.conditions"));
  world.put(gvr::kNodes, unknown);
  world.put(gvr::kNodes, *parse_yaml_one("{metadata: {name: n2}, status: {conditions: [{type: "
                                         "Ready, status: 'True'}]}}"));
  plan = reconcile(world, kNoon);
  REQUIRE(verbs(plan) == "patch nodes; ");
  CHECK(
      to_json(*find(plan.writes.back().body, "spec.taints")) ==
      R"([{"effect":"NoSchedule","key":"node.kubernetes.io/unreachable","timeAdded":"2026-01-01T12:00:00Z"},)"
      R"({"effect":"NoExecute","key":"node.kubernetes.io/unreachable","timeAdded":"2026-01-01T12:00:00Z"}])");
}

TEST_CASE("cordoning is a taint, others' taints stay") {
  FixedWorld world;
  world.put(gvr::kNodes,
            node("True", "unschedulable: true, taints: [{key: a, effect: NoSchedule}]"));
  world.put(gvr::kLeases, lease("2026-01-01T12:00:00.000000Z"));
  const Plan plan = reconcile(world, kNoon);
  REQUIRE(verbs(plan) == "patch nodes; ");
  CHECK(get_array(plan.writes[0].body, "spec.taints").size() == 2);
}

TEST_CASE("a taint that tells no time counts from when it was seen") {
  FixedWorld world;
  world.put(gvr::kNodes, node("True", "taints: [{key: k, value: v, effect: NoExecute}]"));
  world.put(gvr::kLeases, lease("2026-01-01T12:00:00.000000Z"));
  world.put(gvr::kPods, pod("[{key: k, operator: Exists, tolerationSeconds: 60}]"));
  const Plan first = reconcile(world, kNoon);
  CHECK(verbs(first) == "");
  REQUIRE(first.remember);
  CHECK(to_json(*find(*first.remember, "taints")) == R"({"k=v":"2026-01-01T12:00:00.000000Z"})");
  world.memory["n1"] = *first.remember;
  world.put(gvr::kLeases, lease("2026-01-01T12:01:00.000000Z"));
  CHECK(verbs(reconcile(world, kNoon + 59s)) == "");
  CHECK(verbs(reconcile(world, kNoon + 60s)) == "patch pods/status; delete pods; ");
  // The taint goes: nothing is remembered.
  world.put(gvr::kNodes, node("True", "taints: []"));
  CHECK(find(*reconcile(world, kNoon + 60s).remember, "taints") == nullptr);
}

TEST_CASE("a silence is measured by one clock, whatever time of day the node has") {
  const Duration ahead = GENERATE(as<Duration>{}, 0s, 2min, -2min, 10h);  // of us
  CAPTURE(ahead.count());
  FixedWorld world;
  json::value state = node("True");
  world.put(gvr::kNodes, state);
  const auto look = [&](Duration at) {
    const Plan plan = NodeLifecycleController(40s, kNoon + ahead)
                          .reconcile(world.view(), "n1", {TimePoint(1h + at), kNoon + ahead + at});
    REQUIRE(plan.remember);
    world.memory["n1"] = *plan.remember;
    return plan;
  };
  const auto renew = [&](Duration at) {
    world.put(gvr::kLeases, lease(format_micro_time(kNoon + at)));
  };
  renew(0s);
  CHECK(verbs(look(0s)) == "");
  Duration at = 0s;
  while (at < 5min) {  // it renews every 10 s
    const Plan plan = look(at);
    REQUIRE(verbs(plan) == "");
    REQUIRE(plan.again_after);
    at += std::min<Duration>(*plan.again_after, 10s);
    renew(at);
  }
  // Then no more: late by one look at most.
  const Duration last = at;
  std::string told;
  while (told.empty() && at < last + 5min) {
    const Plan plan = look(at);
    told = verbs(plan);
    if (told.empty()) at += *plan.again_after;
  }
  CHECK(told == "patch nodes/status; ");
  CHECK(at >= last + 40s);
  CHECK(at <= last + 45s);
}

TEST_CASE("our own time of day jumps, and no node is blamed for it") {
  FixedWorld world;
  world.put(gvr::kNodes, node("True"));
  world.put(gvr::kLeases, lease("2026-01-01T12:00:00.000000Z"));
  const NodeLifecycleController controller(40s, kNoon - 1h);
  world.memory["n1"] = *controller.reconcile(world.view(), "n1", {TimePoint(1h), kNoon}).remember;
  const Plan plan = controller.reconcile(world.view(), "n1", {TimePoint(1h + 1s), kNoon + 1h + 1s});
  CHECK(verbs(plan) == "");
}

TEST_CASE("NoExecute taints evict by toleration") {
  struct Case {
    const char* name;
    const char* tolerations;
    const char* verbs;
    std::optional<Duration> again;
  };
  auto c = GENERATE(values<Case>({
      {"none", "[]", "patch pods/status; delete pods; ", 40s},
      {"for ever", "[{key: k, operator: Exists}]", "", 40s},
      {"five minutes, half gone", "[{key: k, operator: Exists, tolerationSeconds: 90}]", "", 30s},
      {"over", "[{key: k, operator: Exists, tolerationSeconds: 60}]",
       "patch pods/status; delete pods; ", 40s},
      {"another key", "[{key: x, operator: Exists}]", "patch pods/status; delete pods; ", 40s},
      {"everything", "[{operator: Exists}]", "", 40s},
      {"equal value", "[{key: k, value: v}]", "", 40s},
  }));
  CAPTURE(c.name);
  FixedWorld world;
  world.put(
      gvr::kNodes,
      node("True",
           "taints: [{key: k, value: v, effect: NoExecute, timeAdded: '2026-01-01T11:59:00Z'}]"));
  world.put(gvr::kLeases, lease("2026-01-01T12:00:00.000000Z"));
  world.put(gvr::kPods, pod(c.tolerations));
  const Plan plan = reconcile(world, kNoon);
  CHECK(verbs(plan) == c.verbs);
  CHECK(plan.again_after == c.again);
}

TEST_CASE("a node that is gone is forgotten, and the next of its name gets a whole grace") {
  FixedWorld world;
  world.put(gvr::kLeases, lease("2026-01-01T09:00:00.000000Z"));
  world.memory["n1"] = *parse_json(R"({"told":1767258000000000000,"seen":0})");
  const Plan gone = reconcile(world, kNoon);
  CHECK(gone.writes.empty());
  REQUIRE(gone.remember);
  CHECK(gone.remember->is_null());
  world.memory.erase("n1");
  json::value fresh = *parse_yaml_one(
      "{apiVersion: v1, kind: Node, metadata: {name: n1, uid: u2, resourceVersion: '9', "
      "creationTimestamp: '2026-01-01T12:00:00Z'}}");
  world.put(gvr::kNodes, fresh);
  const Plan first = reconcile(world, kNoon + 10s);
  CHECK(verbs(first) == "");
  CHECK(first.again_after == 30s);
}
