#include "statefulset/statefulset.hpp"

#include <catch2/catch.hpp>

#include "api/object.hpp"
#include "base/yaml.hpp"
#include "controller_testing/cluster.hpp"
#include "controllers/pods.hpp"

using namespace coracle;
using namespace coracle::controllers;
using Strings = std::vector<std::string>;

namespace {

const StatefulSetController kController;

struct Stateful : testing::Cluster {
  explicit Stateful(const std::string& more = "{}") : Cluster(kController) {
    put(gvr::kStatefulSets, R"(
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web, uid: set-uid, generation: 1}
spec:
  replicas: 3
  serviceName: nginx
  selector: {matchLabels: {app: web}}
  podManagementPolicy: OrderedReady
  updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 0}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: v1}], volumes: [{name: www, emptyDir: {}}, {name: tmp, emptyDir: {}}]}
)");
    const json::value changes = *parse_yaml_one(more);
    for (const auto& [key, value] : changes.get_object()) {
      set_path(at("statefulsets/web"), "spec." + std::string(key), value);
    }
  }
  // Only what happens to pods and claims.
  Strings work(const Strings& done) {
    Strings kept;
    for (const std::string& line : done) {
      if (line.find(" pods/") != line.npos || line.find("claims/") != line.npos) {
        kept.push_back(line);
      }
    }
    return kept;
  }
  Strings settle() { return work(Cluster::settle("ns/web")); }
  // Nodes and controller in turns until all is still.
  Strings settle_with_nodes() {
    Strings all;
    for (int i = 0; i < 40; ++i) {
      reap();
      run_all();
      const Strings done = Cluster::settle("ns/web");
      for (const std::string& line : work(done)) all.push_back(line);
      if (done.empty()) return all;
    }
    FAIL("does not settle");
    return all;
  }
  void change_image(const std::string& image) {
    set_spec("statefulsets/web", "template.spec.containers", "[{name: c, image: " + image + "}]");
  }
  std::string images() {
    std::string text;
    each_pod([&](json::value& pod) {
      text += std::string(api::name_of(pod)) + (is_deleting(pod) ? "-" : " ") +
              std::string(get_string(get_array(pod, "spec.containers")[0], "image")) + "; ";
    });
    return text;
  }
  json::value& set() { return at("statefulsets/web"); }
};

constexpr char kClaims[] =
    "volumeClaimTemplates: [{metadata: {name: www, labels: {kind: disk}}, spec: {accessModes: "
    "[ReadWriteOnce]}, status: {phase: Pending}}]";

std::string with_claims(const std::string& deleted, const std::string& scaled) {
  return std::string("{replicas: 2, ") + kClaims +
         ", persistentVolumeClaimRetentionPolicy: {whenDeleted: " + deleted +
         ", whenScaled: " + scaled + "}}";
}

}  // namespace

TEST_CASE("pods come one by one, each when the one before is ready") {
  Stateful c;
  CHECK(c.settle() == Strings{"create pods/web-0"});
  CHECK(c.told == Strings{"SuccessfulCreate: create Pod web-0 in StatefulSet web successful"});
  c.run_all();
  CHECK(c.settle() == Strings{"create pods/web-1"});
  c.run_all();
  CHECK(c.settle() == Strings{"create pods/web-2"});
  c.run_all();
  CHECK(c.settle().empty());
  const json::value& status = *find(c.set(), "status");
  const std::string revision(get_string(status, "currentRevision"));
  CHECK(revision.starts_with("web-"));
  CHECK(to_json(status) ==
        R"({"availableReplicas":3,"collisionCount":0,"currentReplicas":3,"currentRevision":")" +
            revision + R"(","observedGeneration":1,"readyReplicas":3,"replicas":3,)" +
            R"("updateRevision":")" + revision + R"(","updatedReplicas":3})");
  const json::value& pod = c.pod("web-2");
  CHECK(to_json(*find(pod, "metadata.labels")) ==
        R"({"app":"web","statefulset.kubernetes.io/pod-name":"web-2",)"
        R"("apps.kubernetes.io/pod-index":"2","controller-revision-hash":")" +
            revision + "\"}");
  CHECK(get_string(pod, "spec.hostname") == "web-2");
  CHECK(get_string(pod, "spec.subdomain") == "nginx");
  CHECK(get_string(pod, "metadata.generateName") == "web-");
}

TEST_CASE("Parallel makes all at once; ordinals may start anywhere") {
  Stateful c("{podManagementPolicy: Parallel, ordinals: {start: 5}}");
  CHECK(c.settle() == Strings{"create pods/web-5", "create pods/web-6", "create pods/web-7"});
  c.set_spec("statefulsets/web", "replicas", "1");
  CHECK(c.settle() == Strings{"delete pods/web-7", "delete pods/web-6"});
  c.reap();
  c.set_spec("statefulsets/web", "ordinals", "{start: 6}");
  CHECK(c.settle() == Strings{"create pods/web-6", "delete pods/web-5"});
}

TEST_CASE("however many are asked for, a plan stays small") {
  Stateful c("{podManagementPolicy: Parallel, replicas: 2147483647}");
  CHECK(c.work(c.step("ns/web")).size() == 500);
}

TEST_CASE("scaling down goes from the last, and waits for each") {
  Stateful c;
  c.settle_with_nodes();
  c.set_spec("statefulsets/web", "replicas", "1");
  CHECK(c.settle() == Strings{"delete pods/web-2"});
  CHECK(c.settle().empty());  // it is still going
  c.reap();
  CHECK(c.settle() == Strings{"delete pods/web-1"});
  c.reap();
  CHECK(c.settle().empty());
}

TEST_CASE("nothing goes on while a pod before is not well") {
  Stateful c;
  c.settle_with_nodes();
  set_path(c.pod("web-0"), "status.conditions", json::array());
  c.set_spec("statefulsets/web", "replicas", "2");
  CHECK(c.settle().empty());
  c.change_image("v2");
  CHECK(c.settle().empty());
  c.run(c.pod("web-0"));
  CHECK(c.settle() == Strings{"delete pods/web-2"});
}

TEST_CASE("ended pods come back under their names") {
  Stateful c;
  c.settle_with_nodes();
  c.finish(c.pod("web-1"), 1);
  c.told.clear();
  CHECK(c.settle() == Strings{"delete pods/web-1"});
  CHECK(c.told[0] == "RecreatingFailedPod: StatefulSet ns/web is recreating failed Pod web-1");
  CHECK(c.settle().empty());
  c.reap();
  CHECK(c.settle() == Strings{"create pods/web-1"});
}

TEST_CASE("an update goes from the last to the first") {
  struct Case {
    const char *name, *spec;
    std::vector<std::string> states;  // while nodes and controller take turns
  };
  const std::vector<Case> cases = {
      {"one by one",
       "{}",
       {"web-0 v1; web-1 v1; web-2-v1; ", "web-0 v1; web-1 v1; web-2 v2; ",
        "web-0 v1; web-1-v1; web-2 v2; ", "web-0 v1; web-1 v2; web-2 v2; ",
        "web-0-v1; web-1 v2; web-2 v2; ", "web-0 v2; web-1 v2; web-2 v2; "}},
      {"down to the partition",
       "{updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 2}}}",
       {"web-0 v1; web-1 v1; web-2-v1; ", "web-0 v1; web-1 v1; web-2 v2; ",
        "web-0 v1; web-1 v1; web-2 v2; "}},
      {"two at a time",
       "{podManagementPolicy: Parallel, updateStrategy: {type: RollingUpdate, rollingUpdate: "
       "{partition: 0, maxUnavailable: 2}}}",
       {"web-0 v1; web-1-v1; web-2-v1; ", "web-0 v1; web-1 v2; web-2 v2; ",
        "web-0-v1; web-1 v2; web-2 v2; ", "web-0 v2; web-1 v2; web-2 v2; "}},
      {"on delete", "{updateStrategy: {type: OnDelete}}", {"web-0 v1; web-1 v1; web-2 v1; "}},
  };
  for (const Case& k : cases) {
    CAPTURE(k.name);
    Stateful c(k.spec);
    c.settle_with_nodes();
    c.change_image("v2");
    for (const std::string& state : k.states) {
      c.settle();
      CHECK(c.images() == state);
      c.reap();
      c.run_all();
    }
  }
}

TEST_CASE("the revisions in the status move when the update is complete") {
  Stateful c;
  c.settle_with_nodes();
  const std::string first(get_string(c.set(), "status.currentRevision"));
  c.change_image("v2");
  c.settle();
  CHECK(get_string(c.set(), "status.currentRevision") == first);
  CHECK(get_string(c.set(), "status.updateRevision") != first);
  c.settle_with_nodes();
  CHECK(get_string(c.set(), "status.currentRevision") ==
        get_string(c.set(), "status.updateRevision"));
  CHECK(get_int(c.set(), "status.updatedReplicas") == 3);
  // Back: the first revision again, with a number of its own.
  c.change_image("v1");
  c.settle_with_nodes();
  CHECK(get_string(c.set(), "status.currentRevision") == first);
  CHECK(get_int(c.at("controllerrevisions/" + first), "revision") == 3);
  CHECK(c.names("controllerrevisions").size() == 2);
}

TEST_CASE("below the partition a lost pod comes back as it was") {
  Stateful c("{updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 2}}}");
  c.settle_with_nodes();
  c.change_image("v2");
  c.settle_with_nodes();
  CHECK(c.images() == "web-0 v1; web-1 v1; web-2 v2; ");
  c.objects.erase("pods/web-0");
  c.settle_with_nodes();
  CHECK(c.images() == "web-0 v1; web-1 v1; web-2 v2; ");
}

TEST_CASE("pods that never get ready are replaced by an update in Parallel only") {
  Stateful parallel("{podManagementPolicy: Parallel}"), ordered;
  for (Stateful* c : {&parallel, &ordered}) {
    c->settle();
    c->change_image("v2");
  }
  CHECK(parallel.settle() == Strings{"delete pods/web-2"});
  CHECK(ordered.settle().empty());  // as upstream: somebody must delete web-0
}

TEST_CASE("minReadySeconds holds the next one back") {
  Stateful c("{minReadySeconds: 30}");
  c.settle();
  c.run_all();
  CHECK(c.settle().empty());
  CHECK(get_int(c.set(), "status.readyReplicas") == 1);
  CHECK(get_int(c.set(), "status.availableReplicas") == 0);
  CHECK(*c.last.again_after == std::chrono::seconds(30));
  c.wall += std::chrono::seconds(30);
  CHECK(c.settle() == Strings{"create pods/web-1"});
}

TEST_CASE("each pod has its claims, which stay") {
  Stateful c(with_claims("Retain", "Retain"));
  CHECK(c.settle_with_nodes() ==
        Strings{"create persistentvolumeclaims/www-web-0", "create pods/web-0",
                "create persistentvolumeclaims/www-web-1", "create pods/web-1"});
  CHECK(c.told[0] ==
        "SuccessfulCreate: create Claim www-web-0 Pod web-0 in StatefulSet web success");
  CHECK(to_json(*find(c.pod("web-1"), "spec.volumes")) ==
        R"([{"name":"www","persistentVolumeClaim":{"claimName":"www-web-1"}},)"
        R"({"name":"tmp","emptyDir":{}}])");
  const json::value& claim = c.at("persistentvolumeclaims/www-web-1");
  CHECK(to_json(*find(claim, "metadata.labels")) == R"({"kind":"disk","app":"web"})");
  CHECK(find(claim, "metadata.ownerReferences") == nullptr);
  CHECK(find(claim, "status") == nullptr);
  c.set_spec("statefulsets/web", "replicas", "1");
  c.settle_with_nodes();
  CHECK(c.names("persistentvolumeclaims").size() == 2);
}

TEST_CASE("whom a claim goes with") {
  const auto owner = [](Stateful& c, const std::string& name) {
    const json::array& all =
        get_array(c.at("persistentvolumeclaims/" + name), "metadata.ownerReferences");
    return all.empty() ? std::string("nobody")
                       : std::string(get_string(all[0], "kind")) + " " +
                             std::string(get_string(all[0], "name"));
  };
  struct Case {
    const char *deleted, *scaled, *kept, *away;
  };
  const std::vector<Case> cases = {{"Retain", "Retain", "nobody", "nobody"},
                                   {"Delete", "Retain", "StatefulSet web", "StatefulSet web"},
                                   {"Retain", "Delete", "nobody", "Pod web-1"},
                                   {"Delete", "Delete", "StatefulSet web", "Pod web-1"}};
  for (const Case& k : cases) {
    CAPTURE(k.deleted, k.scaled);
    Stateful c(with_claims(k.deleted, k.scaled));
    c.settle_with_nodes();
    c.set_spec("statefulsets/web", "replicas", "1");
    c.settle();
    CHECK(owner(c, "www-web-0") == k.kept);
    CHECK(owner(c, "www-web-1") == k.away);
  }
  // Scaled up again before the claim went: it waits for the old one to go.
  Stateful c(with_claims("Retain", "Delete"));
  c.settle_with_nodes();
  c.set_spec("statefulsets/web", "replicas", "1");
  c.settle();
  c.reap();
  c.set_spec("statefulsets/web", "replicas", "2");
  CHECK(c.settle().empty());
  c.objects.erase("persistentvolumeclaims/www-web-1");
  CHECK(c.settle() == Strings{"create persistentvolumeclaims/www-web-1", "create pods/web-1"});
}

TEST_CASE("a claim that is going holds its pod back, and says so") {
  Stateful c(with_claims("Retain", "Retain"));
  json::value& claim = c.put(gvr::kClaims, "{metadata: {name: www-web-0, uid: u}}");
  set_path(claim, "metadata.deletionTimestamp", json::value("2026-01-01T11:00:00Z"));
  CHECK(c.settle().empty());
  CHECK(c.told[0] ==
        "FailedCreate: create Pod web-0 in StatefulSet web failed error: pvc www-web-0 is being "
        "deleted");
}

TEST_CASE("pods with foreign names are let go, orphans with ours adopted") {
  Stateful c;
  c.put(gvr::kPods,
        "{metadata: {name: web-x, uid: a, labels: {app: web}, ownerReferences: [{kind: "
        "StatefulSet, name: web, uid: set-uid, controller: true}]}}");
  c.put(gvr::kPods,
        "{metadata: {name: web-0, uid: b, labels: {app: web}}, status: {phase: "
        "Pending}}");
  CHECK(c.work(c.step("ns/web")) == Strings{"patch pods/web-0", "patch pods/web-x"});
  CHECK(api::controller_of(c.pod("web-x")) == nullptr);
  c.run_all();
  CHECK(c.settle() == Strings{"patch pods/web-0", "create pods/web-1"});
  CHECK(api::label_of(c.pod("web-0"), "apps.kubernetes.io/pod-index") == "0");
}
