#include "daemonset/daemonset.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

#include "api/object.hpp"
#include "base/yaml.hpp"
#include "controller_testing/cluster.hpp"
#include "controllers/pods.hpp"
#include "controllers/revisions.hpp"
#include "daemonset/placement.hpp"

using namespace coracle;
using namespace coracle::controllers;
using Strings = std::vector<std::string>;

namespace {

const DaemonSetController kController;

struct Daemons : testing::Cluster {
  explicit Daemons(const std::string& strategy = "{type: RollingUpdate}", int nodes = 3)
      : Cluster(kController) {
    put(gvr::kDaemonSets, R"(
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: log, uid: ds-uid, generation: 1, annotations: {deprecated.daemonset.template.generation: '1'}}
spec:
  selector: {matchLabels: {app: log}}
  revisionHistoryLimit: 1
  updateStrategy: )" + strategy +
                              R"(
  template:
    metadata: {labels: {app: log}}
    spec: {containers: [{name: c, image: v1}]}
)");
    for (int i = 1; i <= nodes; ++i) add_node("n" + std::to_string(i), "{}");
  }
  void add_node(const std::string& name, const std::string& spec,
                const std::string& labels = "{}") {
    put(gvr::kNodes,
        "{metadata: {name: " + name + ", labels: " + labels + "}, spec: " + spec + "}");
  }
  void change_image(const std::string& image) {
    set_spec("daemonsets/log", "template.spec.containers", "[{name: c, image: " + image + "}]");
  }
  // "n1 v1; n2 v2": the pods by node, those that go with a minus.
  std::string pods_by_node() {
    Strings all;
    each_pod([&](json::value& pod) {
      all.push_back(daemon_set::target_node(pod) + (is_deleting(pod) ? " -" : " ") +
                    std::string(get_string(get_array(pod, "spec.containers")[0], "image")) + "; ");
    });
    std::sort(all.begin(), all.end());
    std::string text;
    for (const std::string& one : all) text += one;
    return text;
  }
  // The scheduler binds them, the nodes run them.
  void run_all() {
    each_pod([](json::value& pod) {
      set_path(pod, "spec.nodeName", json::value(daemon_set::target_node(pod)));
    });
    Cluster::run_all();
  }
  void roll_on() {
    wall += std::chrono::seconds(1);
    settle("ns/log");
    reap();
    settle("ns/log");
    run_all();
  }
  std::int64_t count(const std::string& field) {
    return get_int(at("daemonsets/log"), "status." + field);
  }
};

}  // namespace

TEST_CASE("one pod a node, bound by its affinity, with the tolerations of daemons") {
  Daemons c("{type: RollingUpdate}", 1);
  const auto done = c.settle("ns/log");
  REQUIRE(done.size() == 4);
  CHECK(done[0].starts_with("create controllerrevisions/log-"));
  CHECK(done[1].starts_with("create pods/log-"));
  const json::value& pod = c.pod(c.names("pods")[0]);
  CHECK(to_json(*find(pod, "spec.affinity")) ==
        R"({"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":)"
        R"([{"matchFields":[{"key":"metadata.name","operator":"In","values":["n1"]}]}]}}})");
  CHECK(get_array(pod, "spec.tolerations").size() == 6);
  CHECK(api::label_of(pod, "pod-template-generation") == "1");
  const json::value& revision = c.at("controllerrevisions/" + c.names("controllerrevisions")[0]);
  CHECK(api::label_of(pod, kRevisionLabel) == api::label_of(revision, kRevisionLabel));
  CHECK(c.told == Strings{"SuccessfulCreate: Created pod: {name}"});
  c.run_all();
  c.settle("ns/log");
  CHECK(to_json(*find(c.at("daemonsets/log"), "status")) ==
        R"({"currentNumberScheduled":1,"desiredNumberScheduled":1,"numberAvailable":1,)"
        R"("numberMisscheduled":0,"numberReady":1,"observedGeneration":1,)"
        R"("updatedNumberScheduled":1})");
}

TEST_CASE("which nodes get a pod, and which keep one") {
  struct Case {
    const char *name, *node_spec, *node_labels, *pod_spec;
    bool run, stay;
  };
  const char* kPlain = "{containers: []}";
  const std::vector<Case> cases = {
      {"plain", "{}", "{}", kPlain, true, true},
      {"cordoned: daemons go there",
       "{unschedulable: true, taints: [{key: node.kubernetes.io/unschedulable, effect: "
       "NoSchedule}]}",
       "{}", kPlain, true, true},
      {"unreachable: it stays",
       "{taints: [{key: node.kubernetes.io/unreachable, effect: NoExecute}]}", "{}", kPlain, true,
       true},
      {"tainted: none comes, one stays", "{taints: [{key: gpu, effect: NoSchedule}]}", "{}", kPlain,
       false, true},
      {"tainted NoExecute", "{taints: [{key: gpu, effect: NoExecute}]}", "{}", kPlain, false,
       false},
      {"tolerated", "{taints: [{key: gpu, effect: NoExecute}]}", "{}",
       "{tolerations: [{operator: Exists}]}", true, true},
      {"PreferNoSchedule is no hindrance", "{taints: [{key: gpu, effect: PreferNoSchedule}]}", "{}",
       kPlain, true, true},
      {"network: without host network",
       "{taints: [{key: node.kubernetes.io/network-unavailable, effect: NoSchedule}]}", "{}",
       kPlain, false, true},
      {"network: with host network",
       "{taints: [{key: node.kubernetes.io/network-unavailable, effect: NoSchedule}]}", "{}",
       "{hostNetwork: true}", true, true},
      {"selector", "{}", "{disk: hdd}", "{nodeSelector: {disk: ssd}}", false, false},
      {"selected", "{}", "{disk: ssd}", "{nodeSelector: {disk: ssd}}", true, true},
      {"affinity", "{}", "{disk: ssd}",
       "{affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
       "{nodeSelectorTerms: [{matchExpressions: [{key: disk, operator: NotIn, values: "
       "[ssd]}]}]}}}}",
       false, false},
      {"another node's name", "{}", "{}", "{nodeName: n2}", false, false},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    json::value set = json::object();
    set_path(set, "spec.template.spec", *parse_yaml_one(c.pod_spec));
    json::value node = *parse_yaml_one(std::string("{metadata: {name: n1, labels: ") +
                                       c.node_labels + "}, spec: " + c.node_spec + "}");
    const daemon_set::Fit fit = daemon_set::Placement(set).fit(node);
    CHECK(fit.run == c.run);
    CHECK(fit.stay == c.stay);
  }
}

TEST_CASE("pods follow the nodes") {
  Daemons c;
  c.settle("ns/log");
  c.run_all();
  CHECK(c.pods_by_node() == "n1 v1; n2 v1; n3 v1; ");
  c.add_node("n4", "{}");
  c.add_node("n2", "{taints: [{key: gpu, effect: NoExecute}]}");
  c.settle("ns/log");
  CHECK(c.pods_by_node() == "n1 v1; n2 -v1; n3 v1; n4 v1; ");
  CHECK(c.count("numberMisscheduled") == 1);
  c.reap();
  c.objects.erase("nodes/n3");  // its running pod is the pod garbage collector's
  c.settle("ns/log");
  CHECK(c.pods_by_node() == "n1 v1; n3 v1; n4 v1; ");
  CHECK(c.count("desiredNumberScheduled") == 2);
}

TEST_CASE("a second pod on a node goes, the older stays") {
  Daemons c("{type: RollingUpdate}", 1);
  c.settle("ns/log");
  json::value twin = c.pod(c.names("pods")[0]);
  set_path(twin, "metadata.name", json::value("log-twin"));
  set_path(twin, "metadata.creationTimestamp", json::value("2026-01-01T11:00:00Z"));
  const std::string younger = c.names("pods")[0];
  c.objects["pods/log-twin"] = {gvr::kPods, twin};
  CHECK(c.step("ns/log") == Strings{"delete pods/" + younger});
}

TEST_CASE("ended pods are replaced; failed ones not at once") {
  Daemons c("{type: RollingUpdate}", 2);
  c.settle("ns/log");
  const Strings pods = c.names("pods");
  c.finish(c.pod(pods[0]), 1);
  c.finish(c.pod(pods[1]), 0);
  c.told.clear();
  CHECK(c.step("ns/log")[0] == "delete pods/" + pods[1]);
  REQUIRE(c.last.again_after);
  CHECK(*c.last.again_after == std::chrono::seconds(10));
  c.wall += std::chrono::seconds(10);
  CHECK(c.step("ns/log")[0] == "delete pods/" + pods[0]);
  CHECK(c.told[0] == "SucceededDaemonPod: Found succeeded daemon pod ns/" + pods[1] + " on node " +
                         daemon_set::target_node(c.pod(pods[1])) + ", will try to delete it");
  CHECK(c.told[2].starts_with("FailedDaemonPod: Found failed daemon pod ns/" + pods[0]));
}

TEST_CASE("a rollout takes maxUnavailable nodes at a time") {
  struct Case {
    const char *name, *strategy;
    std::vector<std::string> states;  // after each turn of all nodes
  };
  const std::vector<Case> cases = {
      {"one",
       "{type: RollingUpdate, rollingUpdate: {maxUnavailable: 1}}",
       {"n1 v2; n2 v1; n3 v1; ", "n1 v2; n2 v2; n3 v1; ", "n1 v2; n2 v2; n3 v2; "}},
      {"half, rounded up",
       "{type: RollingUpdate, rollingUpdate: {maxUnavailable: 50%}}",
       {"n1 v2; n2 v2; n3 v1; ", "n1 v2; n2 v2; n3 v2; "}},
      {"surge: new beside old",
       "{type: RollingUpdate, rollingUpdate: {maxUnavailable: 0, maxSurge: 1}}",
       {"n1 v1; n1 v2; n2 v1; n3 v1; ", "n1 v2; n2 v1; n2 v2; n3 v1; "}},
      {"on delete", "{type: OnDelete}", {"n1 v1; n2 v1; n3 v1; "}},
  };
  for (const Case& k : cases) {
    CAPTURE(k.name);
    Daemons c(k.strategy);
    c.settle("ns/log");
    c.run_all();
    c.settle("ns/log");
    c.change_image("v2");
    for (const std::string& state : k.states) {
      c.roll_on();
      CHECK(c.pods_by_node() == state);
    }
  }
}

TEST_CASE("a surge ends with one new pod a node; it never had less than one that serves") {
  Daemons c("{type: RollingUpdate, rollingUpdate: {maxUnavailable: 0, maxSurge: 2}}");
  c.settle("ns/log");
  c.run_all();
  c.settle("ns/log");
  c.change_image("v2");
  for (int i = 0; i < 8; ++i) {
    c.roll_on();
    CHECK(c.count("numberAvailable") == 3);
  }
  CHECK(c.pods_by_node() == "n1 v2; n2 v2; n3 v2; ");
}

TEST_CASE("old pods that serve nobody go at once") {
  Daemons c("{type: RollingUpdate, rollingUpdate: {maxUnavailable: 1}}");
  c.settle("ns/log");  // none ever becomes ready
  c.change_image("v2");
  c.settle("ns/log");
  CHECK(c.pods_by_node() == "n1 -v1; n2 -v1; n3 -v1; ");
}

TEST_CASE("history: going back gives the old revision the highest number; the oldest go") {
  Daemons c("{type: RollingUpdate, rollingUpdate: {maxUnavailable: 100%}}", 1);
  const auto numbers = [&] {
    std::vector<std::int64_t> all;
    for (const std::string& name : c.names("controllerrevisions")) {
      all.push_back(revision_number(c.at("controllerrevisions/" + name)));
    }
    std::sort(all.begin(), all.end());
    return all;
  };
  for (int i = 0; i < 2; ++i) c.roll_on();
  c.change_image("v2");
  for (int i = 0; i < 2; ++i) c.roll_on();
  CHECK(numbers() == std::vector<std::int64_t>{1, 2});
  c.change_image("v1");
  for (int i = 0; i < 2; ++i) c.roll_on();
  CHECK(numbers() == std::vector<std::int64_t>{2, 3});
  CHECK(c.pods_by_node() == "n1 v1; ");
  c.change_image("v3");
  for (int i = 0; i < 2; ++i) c.roll_on();
  CHECK(numbers() == std::vector<std::int64_t>{3, 4});  // revisionHistoryLimit: 1
}

TEST_CASE("nodes matter only when they change what fits") {
  Daemons c;
  FixedWorld world;
  world.put(gvr::kDaemonSets, c.at("daemonsets/log"));
  const auto touched = [&](const char* before, const char* after) {
    int n = 0;
    const json::value a = *parse_yaml_one(before), b = *parse_yaml_one(after);
    kController.touched(world.view(), gvr::kNodes, &a, &b, [&](const std::string&) { ++n; });
    return n;
  };
  const char* kNode = "{metadata: {name: n1}}";
  CHECK(touched(kNode, "{metadata: {name: n1, labels: {a: b}}}") == 0);
  CHECK(touched(kNode, "{metadata: {name: n1}, spec: {taints: [{key: a, effect: NoSchedule}]}}") ==
        1);
}
