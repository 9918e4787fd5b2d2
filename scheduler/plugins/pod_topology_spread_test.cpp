#include "plugins/pod_topology_spread.hpp"

#include <set>

#include "base/rng.hpp"
#include "plugins/testing.hpp"

namespace coracle::scheduler {
namespace {

using testing::a_node;
using testing::a_pod;
using testing::a_world;
using testing::check_all;
using testing::FilterCase;
using testing::ScoreCase;

const Verdict kYes = Verdict::yes();
const Verdict kNo = Verdict::not_now("node(s) didn't match pod topology spread constraints");
const Verdict kNoLabel =
    Verdict::never("node(s) didn't match pod topology spread constraints (missing required label)");

const PodTopologySpread kPlugin(PodTopologySpread::upstream_defaults(), true);

a_pod web(const std::string& name) { return a_pod(name).label("app", "web"); }

std::string constraint(const char* key, int skew, const std::string& more = {},
                       const char* otherwise = "DoNotSchedule") {
  return R"({"topologyKey":")" + std::string(key) + R"(","maxSkew":)" + std::to_string(skew) +
         R"(,"whenUnsatisfiable":")" + otherwise +
         R"(","labelSelector":{"matchLabels":{"app":"web"}})" + more + "}";
}

// With a selector that says nothing.
std::string of_all(const char* key, int skew, const std::string& more = {},
                   const char* otherwise = "DoNotSchedule") {
  return R"({"topologyKey":")" + std::string(key) + R"(","maxSkew":)" + std::to_string(skew) +
         R"(,"whenUnsatisfiable":")" + otherwise + R"(","labelSelector":{})" + more + "}";
}

a_pod spread(const std::string& constraints, a_pod pod = web("p")) {
  return pod.set("spec.topologySpreadConstraints", "[" + constraints + "]");
}

std::vector<a_node> three_zones() {
  return {a_node("n1").label("zone", "a"), a_node("n2").label("zone", "b"),
          a_node("n3").label("zone", "c")};
}

TEST_CASE("PodTopologySpread filters by skew") {
  const std::vector<a_node> zones = three_zones();
  const std::vector<a_pod> two_one{web("a").on("n1"), web("b").on("n1"), web("c").on("n2")};
  check_all(
      kPlugin,
      std::vector<FilterCase>{
          {"no constraint: skipped", {a_node("n")}, {}, web("p"), {Verdict::skip()}},
          {"the soft ones do not filter",
           {a_node("n")},
           {},
           spread(constraint("zone", 1, {}, "ScheduleAnyway")),
           {Verdict::skip()}},
          // 2, 1, 0 are there; with the pod 3, 2, 1 over the least of 0.
          {"skew 1", zones, two_one, spread(constraint("zone", 1)), {kNo, kNo, kYes}},
          {"skew 2", zones, two_one, spread(constraint("zone", 2)), {kNo, kYes, kYes}},
          {"skew 3", zones, two_one, spread(constraint("zone", 3)), {kYes, kYes, kYes}},
          {"a pod that is not like them does not add itself",
           zones,
           two_one,
           spread(constraint("zone", 1), a_pod("p")),
           {kNo, kYes, kYes}},
          {"a node without the label",
           {a_node("n1").label("zone", "a"), a_node("n2")},
           {},
           spread(constraint("zone", 1)),
           {kYes, kNoLabel}},
          {"pods of other namespaces do not count",
           zones,
           {a_pod("a", "other").label("app", "web").on("n1")},
           spread(constraint("zone", 1)),
           {kYes, kYes, kYes}},
          {"pods being deleted do not count",
           zones,
           {web("a").on("n1").set("metadata.deletionTimestamp", "\"2026-01-01T00:00:00Z\"")},
           spread(constraint("zone", 1)),
           {kYes, kYes, kYes}},
          {"fewer domains than demanded: the least is 0",
           zones,
           {web("a").on("n1"), web("b").on("n2"), web("c").on("n3")},
           spread(constraint("zone", 1, R"(,"minDomains":4)")),
           {kNo, kNo, kNo}},
          {"as many domains as demanded",
           zones,
           {web("a").on("n1"), web("b").on("n2"), web("c").on("n3")},
           spread(constraint("zone", 1, R"(,"minDomains":3)")),
           {kYes, kYes, kYes}},
          {"an empty selector counts nobody: the pod alone is no skew",
           zones,
           two_one,
           spread(of_all("zone", 1)),
           {kYes, kYes, kYes}},
          {"with a key of the pod's own it is not empty",
           zones,
           two_one,
           spread(of_all("zone", 1, R"(,"matchLabelKeys":["app"])")),
           {kNo, kNo, kYes}},
          {"no selector at all: not even the pod",
           zones,
           two_one,
           spread(R"({"topologyKey":"zone","maxSkew":1,"whenUnsatisfiable":"DoNotSchedule"})"),
           {kYes, kYes, kYes}},
          {"every constraint must hold",
           {a_node("n1").label("zone", "a"), a_node("n2").label("zone", "a"),
            a_node("n3").label("zone", "b")},
           {web("a").on("n1"), web("b").on("n3")},
           spread(constraint("zone", 1) + "," + constraint("kubernetes.io/hostname", 1)),
           {kNo, kYes, kNo}},
      });
}

TEST_CASE("PodTopologySpread: which nodes count") {
  // The empty zone c would pull the least to 0.
  const std::vector<a_pod> one_each{web("a").on("n1"), web("b").on("n2")};
  std::vector<a_node> tainted = three_zones();
  tainted[2].taint("k", "", "NoSchedule");
  const a_pod selects =
      spread(constraint("zone", 1))
          .set("spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution",
               R"({"nodeSelectorTerms":[{"matchExpressions":[
          {"key":"zone","operator":"NotIn","values":["c"]}]}]})");
  const a_pod ignores =
      a_pod(selects).set("spec.topologySpreadConstraints",
                         "[" + constraint("zone", 1, R"(,"nodeAffinityPolicy":"Ignore")") + "]");
  check_all(
      kPlugin,
      std::vector<FilterCase>{
          {"all", three_zones(), one_each, spread(constraint("zone", 1)), {kNo, kNo, kYes}},
          {"affinity honored", three_zones(), one_each, selects, {kYes, kYes, kYes}},
          {"affinity ignored", three_zones(), one_each, ignores, {kNo, kNo, kYes}},
          {"taints ignored", tainted, one_each, spread(constraint("zone", 1)), {kNo, kNo, kYes}},
          {"taints honored",
           tainted,
           one_each,
           spread(constraint("zone", 1, R"(,"nodeTaintsPolicy":"Honor")")),
           {kYes, kYes, kYes}},
      });
}

TEST_CASE("PodTopologySpread scores") {
  const std::vector<a_pod> two_one{web("a").on("n1"), web("b").on("n1"), web("c").on("n2")};
  const std::string soft = constraint("zone", 1, {}, "ScheduleAnyway");
  check_all(
      kPlugin,
      std::vector<ScoreCase>{
          // A pod weighs ln(3+2) = 1.609: 3, 2, 0; 100 * (3 + 0 - score) / 3.
          {"by zone", three_zones(), two_one, spread(soft), {0, 33, 100}},
          {"none there", three_zones(), {}, spread(soft), {100, 100, 100}},
          // ln(1+2) = 1.099: 2; the node without the label is left out.
          {"without the label",
           {a_node("n1").label("zone", "a"), a_node("m")},
           {web("a").on("n1"), web("b").on("n1")},
           spread(soft),
           {100, 0}},
          {"an empty selector counts nobody",
           three_zones(),
           two_one,
           spread(of_all("zone", 1, {}, "ScheduleAnyway")),
           {100, 100, 100}},
          {"hard ones do not score", three_zones(), two_one, spread(constraint("zone", 1)), {}},
      });
}

// The naive twin: for one constraint and one node, counts pod by pod from the definition.
Verdict naive_spread(const PodInfo& pod, const NodeInfo& candidate, const Snapshot& world) {
  for (const SpreadConstraint& c : pod.spread) {
    const auto here = candidate.facts().topology(c.topology_key);
    if (!here) return kNoLabel;
    std::set<std::string> domains;
    for (const NodeInfo& node : world.nodes) {
      bool counts = true;
      for (const auto& each : pod.spread) counts &= !!node.facts().topology(each.topology_key);
      if (counts) domains.emplace(*node.facts().topology(c.topology_key));
    }
    const auto pods_in = [&](std::string_view domain) {
      std::int64_t count = 0;
      for (const NodeInfo& node : world.nodes) {
        bool counts = node.facts().topology(c.topology_key) == domain;
        for (const auto& each : pod.spread) counts &= !!node.facts().topology(each.topology_key);
        for (const PodPtr& other : node.pods()) {
          count += counts && other->ns == pod.ns && c.selector.matches(other->labels);
        }
      }
      return count;
    };
    std::int64_t least = domains.empty() ? 0 : pods_in(*domains.begin());
    for (const std::string& domain : domains) least = std::min(least, pods_in(domain));
    if (static_cast<std::int64_t>(domains.size()) < c.min_domains) least = 0;
    const std::int64_t self = c.selector.matches(pod.labels);
    if (pods_in(*here) + self - least > c.max_skew) return kNo;
  }
  return kYes;
}

TEST_CASE("PodTopologySpread agrees with its naive twin on random worlds") {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    CAPTURE(seed);
    Rng rng(seed);
    std::vector<a_node> nodes;
    std::vector<a_pod> pods;
    for (std::uint64_t i = 0, count = 1 + rng.below(8); i < count; ++i) {
      nodes.emplace_back("n" + std::to_string(i));
      if (rng.below(6) != 0) nodes.back().label("zone", std::to_string(rng.below(3)));
      if (rng.below(6) != 0) nodes.back().label("rack", std::to_string(rng.below(4)));
    }
    for (std::uint64_t i = 0, count = rng.below(16); i < count; ++i) {
      a_pod pod("a" + std::to_string(i), rng.below(5) == 0 ? "other" : "default");
      if (rng.below(4) != 0) pod.label("app", "web");
      pods.push_back(pod.on("n" + std::to_string(rng.below(nodes.size()))));
    }
    std::string constraints;
    for (const char* key : {"zone", "rack", "kubernetes.io/hostname"}) {
      if (key != std::string("zone") && rng.below(2) == 0) continue;
      if (!constraints.empty()) constraints += ",";
      constraints += constraint(key, static_cast<int>(1 + rng.below(3)),
                                R"(,"minDomains":)" + std::to_string(1 + rng.below(4)));
    }
    const PodPtr pod = spread(constraints, rng.below(4) == 0 ? a_pod("p") : web("p")).info();
    const Snapshot world = a_world(nodes, pods);
    testing::Verdicts expected;
    for (const NodeInfo& node : world.nodes) expected.push_back(naive_spread(*pod, node, world));
    CHECK(testing::filtered(kPlugin, *pod, world) == expected);
  }
}

}  // namespace
}  // namespace coracle::scheduler
