#include "why/what_if.hpp"

#include <catch2/catch.hpp>

#include "framework/testing.hpp"
#include "plugins/registry.hpp"

namespace coracle::scheduler {
namespace {

using testing::a_node;
using testing::a_pod;
using testing::parsed;

const Profile kDefault = default_profile();

Cache a_cache(const std::vector<a_node>& nodes, const std::vector<a_pod>& pods = {}) {
  Cache cache;
  for (const a_node& node : nodes) cache.set_node(parse_node(node.object()));
  for (const a_pod& pod : pods) cache.set_pod(pod.info());
  return cache;
}

WhatIf asked(const a_pod& pod) {
  WhatIf question;
  question.pod = pod.object();
  question.suggest = true;
  return question;
}

WhatIfAnswer answered(const WhatIf& question, const Cache& cache) {
  auto answer = answer_what_if(question, kDefault, cache);
  REQUIRE(answer.status().message() == "");
  return std::move(*answer);
}

std::vector<std::string> texts(const WhatIfAnswer& answer) {
  std::vector<std::string> all;
  for (const SingleChange& change : answer.changes) all.push_back(change.text);
  return all;
}

using Texts = std::vector<std::string>;

TEST_CASE("other weights, other place; the world itself does not change") {
  const Cache cache = a_cache({a_node("a"), a_node("b").taint("t", "", "PreferNoSchedule")},
                              {a_pod("load").cpu("1").on("a")});
  WhatIf question = asked(a_pod("p").cpu("1"));
  CHECK(answered(question, cache).decision.node == "a");
  question.weights = {{"TaintToleration", 0}};
  const WhatIfAnswer answer = answered(question, cache);
  CHECK(answer.decision.node == "b");
  CHECK(answer.decision.why.scorers[0].weight == 0);
  CHECK(cache.find_node("a")->pods().size() == 1);
  question.weights = {{"Nope", 1}};
  CHECK(answer_what_if(question, kDefault, cache)
            .status()
            .message()
            .starts_with("spec.weights: profile default-scheduler has no score plugin \"Nope\"; it "
                         "has TaintToleration, "));
  question.weights = {{"NodeAffinity", -1}};
  CHECK(answer_what_if(question, kDefault, cache).status().message() ==
        "spec.weights.NodeAffinity: -1: not in valid range [0, 1000000]");
}

TEST_CASE("where a pod that is there would go now") {
  const Cache cache = a_cache({a_node("a"), a_node("b")}, {a_pod("p").cpu("3").on("a")});
  // If it still counted on a, it would not fit there.
  WhatIf question = asked(a_pod("p").cpu("3").on("a"));
  question.without_nodes = {"b"};
  CHECK(answered(question, cache).decision.node == "a");
}

TEST_CASE("other nodes and fewer pods") {
  const Cache cache = a_cache({a_node("a")}, {a_pod("q").cpu("3").on("a")});
  WhatIf question = asked(a_pod("p").cpu("2"));
  CHECK(answered(question, cache).decision.node.empty());
  question.without_pods = {"default/q"};
  CHECK(answered(question, cache).decision.node == "a");
  question.without_pods.clear();
  question.nodes = {a_node("a").has("cpu", "8").object()};
  CHECK(answered(question, cache).decision.node == "a");
  question.nodes = {a_node("new").object()};
  CHECK(answered(question, cache).decision.node == "new");
  question.without_pods = {"default/none"};
  CHECK(answer_what_if(question, kDefault, cache).status().message() ==
        "spec.withoutPods: no pod \"default/none\" is on a node");
  question.without_pods.clear();
  question.without_nodes = {"z"};
  CHECK(answer_what_if(question, kDefault, cache).status().message() ==
        "spec.withoutNodes: node \"z\" not found");
}

TEST_CASE("how many of a workload's pods fit") {
  WhatIf question = asked(a_pod("p").cpu("1500m"));
  question.copies = 6;
  const WhatIfAnswer answer = answered(question, a_cache({a_node("a"), a_node("b")}));
  CHECK(answer.placed == 4);
  CHECK(answer.pods_by_node == std::map<std::string, std::int64_t>{{"a", 2}, {"b", 2}});
  CHECK(answer.decision.kind == Decision::Kind::kFitsNowhere);
  // With the copies before it on their nodes.
  CHECK(answer.changes.front().text == "lower the pod's cpu request from 1500m to 1");
  question.copies = kCopiesMax + 1;
  CHECK_FALSE(answer_what_if(question, kDefault, a_cache({})).ok());
}

TEST_CASE("the single changes that would make it fit, smallest first") {
  struct Case {
    const char* name;
    std::vector<a_node> nodes;
    std::vector<a_pod> pods;
    a_pod pod;
    Texts changes;
  };
  const Case cases[] = {
      {"too much asked",
       {a_node("a"), a_node("b")},
       {a_pod("q").cpu("3").on("a"), a_pod("r").cpu("1").on("b")},
       a_pod("p").cpu("5"),
       {"lower the pod's cpu request from 5 to 3"}},
      {"two resources short: no one of them alone",
       {a_node("a")},
       {},
       a_pod("p").cpu("5").memory("9Gi"),
       {}},
      {"memory in whole Mi",
       {a_node("a").has("memory", "4194305Ki")},
       {},
       a_pod("p").memory("8Gi"),
       {"lower the pod's memory request from 8Gi to 4Gi"}},
      {"tainted",
       {a_node("a").taint("only", "vips", "NoSchedule")},
       {},
       a_pod("p"),
       {"let the pod tolerate only=vips:NoSchedule",
        "take the taint only=vips:NoSchedule off node a"}},
      {"cordoned",
       {a_node("a")
            .taint("node.kubernetes.io/unschedulable", "", "NoSchedule")
            .set("spec.unschedulable", "true")},
       {},
       a_pod("p"),
       {"uncordon node a"}},
      {"no node has the label",
       {a_node("a"), a_node("b").label("disk", "hdd")},
       {},
       a_pod("p").set("spec.nodeSelector", R"({"disk":"ssd"})"),
       {"drop disk=ssd from the pod's nodeSelector", "label node a with disk=ssd",
        "label node b with disk=ssd"}},
      {"a rule of its node affinity",
       {a_node("a").label("zone", "x")},
       {},
       a_pod("p").set("spec.affinity.nodeAffinity",
                      R"({"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[
                          {"matchExpressions":[{"key":"zone","operator":"In","values":["x"]},
                          {"key":"gpu","operator":"Exists"}]}]}})"),
       {"drop the rule gpu Exists [] from the pod's node affinity"}},
      {"the port is taken, and the other could go elsewhere",
       {a_node("a"), a_node("b").taint("t", "", "NoSchedule")},
       {a_pod("q").host_port(80).on("a").set("spec.tolerations",
                                             R"([{"key":"t","operator":"Exists"}])")},
       a_pod("p").host_port(80),
       {"let the pod tolerate t:NoSchedule", "drop host port 80 of container c",
        "take the taint t:NoSchedule off node b", "move pod default/q from a to b",
        "one more node like a"}},
      {"full: less asked, one pod less, or one more node",
       {a_node("a")},
       {a_pod("q").cpu("2").priority(7).on("a"), a_pod("r").cpu("1").priority(3).on("a")},
       a_pod("p").cpu("2"),
       {"lower the pod's cpu request from 2 to 1", "one more node like a",
        "remove pod default/r (priority 3) from a; it fits nowhere else"}},
      {"no two on a node",
       {a_node("a")},
       {a_pod("q").label("app", "db").on("a")},
       a_pod("p")
           .label("app", "db")
           .set("spec.affinity.podAntiAffinity",
                R"({"requiredDuringSchedulingIgnoredDuringExecution":[{"topologyKey":
               "kubernetes.io/hostname","labelSelector":{"matchLabels":{"app":"db"}}}]})"),
       {"drop required pod anti-affinity term 1 (by kubernetes.io/hostname)",
        "one more node like a", "remove pod default/q (priority 0) from a; it fits nowhere else"}},
      {"nothing single",
       {a_node("a").taint("x", "", "NoSchedule").taint("y", "", "NoExecute")},
       {},
       a_pod("p").cpu("9"),
       {}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const Cache cache = a_cache(c.nodes, c.pods);
    const WhatIfAnswer answer = answered(asked(c.pod), cache);
    CHECK(answer.decision.kind == Decision::Kind::kFitsNowhere);
    CHECK(texts(answer) == c.changes);
    for (size_t i = 1; i < answer.changes.size(); ++i) {
      CHECK(answer.changes[i - 1].size <= answer.changes[i].size);
    }
  }
}

// What it proposes is true: with the change really made, the pod is placed.
TEST_CASE("proposals hold") {
  const Cache cache = a_cache({a_node("a"), a_node("b").taint("t", "", "NoSchedule")},
                              {a_pod("q").cpu("3").on("a")});
  const WhatIfAnswer answer = answered(asked(a_pod("p").cpu("2")), cache);
  CHECK(texts(answer) == Texts{"let the pod tolerate t:NoSchedule",
                               "lower the pod's cpu request from 2 to 1",
                               "take the taint t:NoSchedule off node b", "one more node like a",
                               "remove pod default/q (priority 0) from a; it fits nowhere else"});
  const a_pod tolerates =
      a_pod("p").cpu("2").set("spec.tolerations", R"([{"key":"t","effect":"NoSchedule"}])");
  CHECK(answered(asked(tolerates), cache).decision.node == answer.changes[0].node);
  CHECK(answered(asked(a_pod("p").cpu("1")), cache).decision.node == answer.changes[1].node);
}

}  // namespace
}  // namespace coracle::scheduler
