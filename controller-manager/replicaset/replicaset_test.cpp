#include <catch2/catch.hpp>

#include "base/yaml.hpp"
#include "controllers/pods.hpp"
#include "replicaset/replicaset.hpp"

using namespace coracle;
using namespace coracle::controllers;

namespace {

const Instant kNow{TimePoint(std::chrono::hours(1)), *parse_time("2026-01-01T12:00:00Z")};

json::value a_set(int replicas) {
  json::value rs = *parse_yaml_one(R"(
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: web, namespace: ns, uid: rs-uid, generation: 1}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: nginx}]}
)");
  set_path(rs, "spec.replicas", json::value(replicas));
  return rs;
}

class PodBuilder {
 public:
  explicit PodBuilder(const std::string& name) {
    pod_ = *parse_yaml_one(R"(
metadata:
  namespace: ns
  labels: {app: web}
  creationTimestamp: 2026-01-01T11:00:00Z
  ownerReferences:
  - {apiVersion: apps/v1, kind: ReplicaSet, name: web, uid: rs-uid, controller: true}
spec: {nodeName: n1}
status:
  phase: Running
  conditions: [{type: Ready, status: 'True', lastTransitionTime: 2026-01-01T11:00:00Z}]
)");
    set_path(pod_, "metadata.name", json::value(name));
    set_path(pod_, "metadata.uid", json::value("uid-" + name));
  }
  PodBuilder& set(const std::string& path, const std::string& yaml) {
    set_path(pod_, path, *parse_yaml_one(yaml));
    return *this;
  }
  operator json::value() const { return pod_; }  // NOLINT

 private:
  json::value pod_;
};

PodBuilder a_pod(const std::string& name) { return PodBuilder(name); }

// "create 2, delete a, delete b, patch c, status r/ready/available"
std::string summary(const Plan& plan) {
  std::string text;
  int creates = 0;
  for (const Write& w : plan.writes) creates += w.verb == Write::Verb::kCreate;
  if (creates > 0) text += "create " + std::to_string(creates) + "; ";
  for (const Write& w : plan.writes) {
    if (w.verb == Write::Verb::kDelete) text += "delete " + w.name + "; ";
    if (w.verb == Write::Verb::kPatch) text += "patch " + w.name + "; ";
    if (w.verb == Write::Verb::kUpdateStatus) text += "status " + to_json(*find(w.body, "status"));
  }
  return text;
}

Plan reconcile(const json::value& rs, const std::vector<json::value>& pods) {
  FixedWorld world;
  world.put(gvr::kReplicaSets, rs);
  for (const json::value& pod : pods) world.put(gvr::kPods, pod);
  return ReplicaSetController().reconcile(world.view(), "ns/web", kNow);
}

}  // namespace

TEST_CASE("missing pods are created from the template") {
  const Plan plan = reconcile(a_set(2), {});
  CHECK(summary(plan) ==
        R"(create 2; status {"observedGeneration":1,"replicas":0,"terminatingReplicas":0})");
  CHECK(
      to_json(plan.writes[0].body) ==
      R"({"apiVersion":"v1","kind":"Pod","metadata":{"labels":{"app":"web"},"generateName":"web-",)"
      R"("namespace":"ns","ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web",)"
      R"("uid":"rs-uid","controller":true,"blockOwnerDeletion":true}]},"spec":{"containers":[{"name":"c","image":"nginx"}]}})");
}

TEST_CASE("a set that cannot be made says why, once, and not any more when it can") {
  const Plan plan = reconcile(a_set(2), {});
  REQUIRE(plan.if_failed);
  const auto told = plan.if_failed(plan.writes[0], "no more quota");
  REQUIRE(told);
  CHECK(told->verb == Write::Verb::kUpdateStatus);
  CHECK(
      to_json(*find(told->body, "status")) ==
      R"({"observedGeneration":1,"replicas":0,"terminatingReplicas":0,"conditions":[{"type":"ReplicaFailure",)"
      R"("status":"True","lastTransitionTime":"2026-01-01T12:00:00Z","reason":"FailedCreate","message":"no more quota"}]})");
  // Told already: the next failure writes nothing.
  const Plan again = reconcile(told->body, {});
  CHECK_FALSE(again.if_failed(again.writes[0], "still no quota"));
  // What is behind the pods is carried out when they could be made.
  CHECK(summary(again) ==
        R"(create 2; status {"observedGeneration":1,"replicas":0,"terminatingReplicas":0})");
  CHECK_FALSE(again.if_failed(again.writes.back(), "a status is not about pods"));
}

TEST_CASE("ended and deleted pods do not count") {
  const Plan plan =
      reconcile(a_set(2), {a_pod("a"), a_pod("b").set("status.phase", "Failed"),
                           a_pod("c").set("metadata.deletionTimestamp", "'2026-01-01T11:59:00Z'")});
  CHECK(
      summary(plan) ==
      R"(create 1; status {"availableReplicas":1,"fullyLabeledReplicas":1,"observedGeneration":1,"readyReplicas":1,"replicas":1,"terminatingReplicas":1})");
}

TEST_CASE("victims are chosen in upstream's order") {
  struct Case {
    const char* name;
    json::value other;
    const char* victim;
  };
  const std::vector<Case> cases = {
      {"1 not bound", a_pod("b").set("spec.nodeName", "''"), "b"},
      {"2 pending", a_pod("b").set("status.phase", "Pending"), "b"},
      {"3 not ready", a_pod("b").set("status.conditions", "[]"), "b"},
      {"4 cheaper",
       a_pod("b").set("metadata.annotations", "{controller.kubernetes.io/pod-deletion-cost: '-1'}"),
       "b"},
      {"6 ready more recently",
       a_pod("b").set(
           "status.conditions",
           "[{type: Ready, status: 'True', lastTransitionTime: '2026-01-01T11:59:00Z'}]"),
       "b"},
      {"7 more restarts", a_pod("b").set("status.containerStatuses", "[{restartCount: 3}]"), "b"},
      {"8 newer", a_pod("b").set("metadata.creationTimestamp", "'2026-01-01T11:59:59Z'"), "b"},
      {"equal: by name", a_pod("b"), "a"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK(summary(reconcile(a_set(1), {a_pod("a"), c.other}))
              .starts_with(std::string("delete ") + c.victim + ";"));
  }
  // 5: two of three on one node
  CHECK(
      summary(reconcile(a_set(2), {a_pod("a").set("spec.nodeName", "n2"), a_pod("b"), a_pod("c")}))
          .starts_with("delete b;"));
}

TEST_CASE("orphans are adopted, strangers released, others' pods left alone") {
  const Plan plan = reconcile(
      a_set(2), {a_pod("a").set("metadata.ownerReferences", "[]"),
                 a_pod("b").set("metadata.labels", "{app: other}"),
                 a_pod("c").set("metadata.ownerReferences", "[{uid: x, controller: true}]")});
  CHECK(summary(plan).starts_with("create 1; patch a; patch b;"));
}

TEST_CASE("availability waits for minReadySeconds and asks to look again") {
  json::value rs = a_set(1);
  set_path(rs, "spec.minReadySeconds", json::value(7200));
  const Plan plan = reconcile(rs, {a_pod("a")});
  CHECK(plan.again_after == std::chrono::hours(1));
  CHECK(summary(plan).find("availableReplicas") == std::string::npos);
}

TEST_CASE("nothing to do, nothing written") {
  json::value rs = a_set(1);
  set_path(
      rs, "status",
      *parse_json(
          R"({"availableReplicas":1,"fullyLabeledReplicas":1,"observedGeneration":1,"readyReplicas":1,"replicas":1,"terminatingReplicas":0})"));
  CHECK(reconcile(rs, {a_pod("a")}).writes.empty());
  CHECK(ReplicaSetController().reconcile(FixedWorld().view(), "ns/gone", kNow).writes.empty());
}
