// Preemption with the default plugins: who must leave, and from where.
#include <algorithm>
#include <catch2/catch.hpp>

#include "base/rng.hpp"
#include "cache/cache.hpp"
#include "cycle/cycle.hpp"
#include "framework/testing.hpp"
#include "plugins/default_preemption.hpp"
#include "plugins/registry.hpp"
#include "plugins/victims.hpp"

namespace coracle::scheduler {
namespace {

using testing::a_node;
using testing::a_pod;
using testing::a_world;
using Names = std::vector<std::string>;

const Profile kDefault = default_profile();

Names names(const std::vector<PodPtr>& pods) {
  Names all;
  for (const PodPtr& pod : pods) all.push_back(pod->name);
  return all;
}

a_pod placed(const char* name, std::int64_t priority, const char* cpu, const char* node) {
  return a_pod(name).priority(priority).cpu(cpu).on(node);
}

a_pod started(a_pod pod, const char* at) {
  return pod.set("status.startTime", std::string("\"2026-01-01T00:00:0") + at + "Z\"");
}

Budget a_budget(const char* label, std::int64_t allowed) {
  json::value budget = testing::parsed(R"({"metadata":{"namespace":"default"}})");
  set_path(budget, "spec.selector.matchLabels.app", json::value(label));
  set_path(budget, "status.disruptionsAllowed", json::value(allowed));
  return parse_budget(budget);
}

TEST_CASE("as many as possible stay, the most important first") {
  struct Case {
    const char* name;
    std::vector<a_pod> placed;
    a_pod pod;
    std::string node;
    Names victims;
  };
  const a_pod vip = a_pod("vip").cpu("2").priority(100);
  const std::vector<Case> cases{
      {"only who is less important",
       {placed("a", 100, "4", "n1"), placed("b", 99, "4", "n2")},
       vip,
       "n2",
       {"b"}},
      {"the higher one stays",
       {placed("a", 10, "2", "n1"), placed("b", 20, "2", "n1"), placed("c", 100, "4", "n2")},
       vip,
       "n1",
       {"a"}},
      {"of equals the older one stays",
       {started(placed("a", 10, "2", "n1"), "5"), started(placed("b", 10, "2", "n1"), "3"),
        placed("c", 100, "4", "n2")},
       vip,
       "n1",
       {"a"}},
      {"who is in nobody's way stays, though unimportant",
       {placed("a", 10, "3", "n1"), placed("b", 0, "1", "n1"), placed("c", 100, "4", "n2")},
       vip,
       "n1",
       {"a"}},
      {"the lowest first victim decides",
       {placed("a", 20, "4", "n1"), placed("b", 10, "2", "n2"), placed("c", 10, "2", "n2")},
       a_pod("vip").cpu("4").priority(100),
       "n2",
       {"b", "c"}},
      {"then the sum of priorities",
       {placed("a", 10, "2", "n1"), placed("b", 10, "2", "n1"), placed("c", 10, "2", "n2"),
        placed("d", 9, "2", "n2")},
       a_pod("vip").cpu("4").priority(100),
       "n2",
       {"c", "d"}},
      {"fewer of less than nothing, too",
       {placed("a", -5, "2", "n1"), placed("b", -5, "2", "n1"), placed("c", -5, "4", "n2")},
       a_pod("vip").cpu("4").priority(0),
       "n2",
       {"c"}},
      {"then who started last",
       {started(placed("a", 10, "4", "n1"), "3"), started(placed("b", 10, "4", "n2"), "7")},
       vip,
       "n2",
       {"b"}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    Rotation rotation;
    const Decision d =
        decide(kDefault, c.pod.info(), a_world({a_node("n1"), a_node("n2")}, c.placed), rotation);
    CHECK(d.nominated == c.node);
    CHECK(names(d.victims) == c.victims);
  }
}

TEST_CASE("budgets are broken last") {
  auto world = a_world({a_node("n1"), a_node("n2")},
                       {placed("a", 10, "2", "n1").label("app", "db"), placed("b", 50, "2", "n1"),
                        placed("c", 100, "4", "n2")});
  world.budgets["default/db"] = a_budget("db", 0);
  Rotation rotation;
  const PodPtr vip = a_pod("vip").cpu("2").priority(100).info();
  CHECK(names(decide(kDefault, vip, world, rotation).victims) == Names{"b"});
  SECTION("a node where none is broken wins over less important victims") {
    world = a_world({a_node("n1"), a_node("n2")},
                    {placed("a", 10, "4", "n1").label("app", "db"), placed("b", 90, "4", "n2")});
    world.budgets["default/db"] = a_budget("db", 0);
    CHECK(decide(kDefault, vip, world, rotation).nominated == "n2");
    world.budgets["default/db"] = a_budget("db", 1);
    CHECK(decide(kDefault, vip, world, rotation).nominated == "n1");
  }
  SECTION("they are broken if need be") {
    world.remove_pod(0, "default/b");
    world.add_pod(0, placed("b", 100, "2", "n1").info());
    const Decision d = decide(kDefault, vip, world, rotation);
    CHECK(names(d.victims) == Names{"a"});
  }
}

TEST_CASE("a budget allows so many, the most important first; empty selectors match nothing") {
  const auto db = [](const char* name) { return a_pod(name).label("app", "db").info(); };
  std::map<std::string, Budget> budgets{{"default/db", a_budget("db", 1)}};
  ByBudget split = split_by_budget({db("a"), db("b"), a_pod("c").info()}, budgets);
  CHECK(names(split.others) == Names{"a", "c"});
  CHECK(names(split.violating) == Names{"b"});
  budgets.at("default/db").leaving = {"a"};
  split = split_by_budget({db("a"), db("b")}, budgets);
  CHECK(split.violating.empty());
  budgets = {
      {"default/all", parse_budget(testing::parsed(
                          R"({"metadata":{"namespace":"default"},"spec":{"selector":{}}})"))}};
  CHECK(split_by_budget({db("a")}, budgets).violating.empty());
}

// What counts pods beyond the node must know who was thought away.
TEST_CASE("victims are thought away from what plugins counted") {
  Rotation rotation;
  const char* apart = R"({"requiredDuringSchedulingIgnoredDuringExecution":[
    {"labelSelector":{"matchLabels":{"app":"web"}},"topologyKey":"zone"}]})";
  const char* spread = R"([{"maxSkew":1,"topologyKey":"zone","whenUnsatisfiable":"DoNotSchedule",
    "labelSelector":{"matchLabels":{"app":"web"}}}])";
  const auto web = [](const char* name) { return a_pod(name).label("app", "web"); };
  const auto zoned = [](const char* name, const char* zone) {
    return a_node(name).label("zone", zone);
  };
  SECTION("the newcomer's anti-affinity") {
    const auto world = a_world({zoned("n1", "a")}, {web("w").on("n1"), a_pod("x").on("n1")});
    const Decision d =
        decide(kDefault, a_pod("p").priority(1).set("spec.affinity.podAntiAffinity", apart).info(),
               world, rotation);
    CHECK(names(d.victims) == Names{"w"});
  }
  SECTION("the residents' anti-affinity") {
    const auto world = a_world(
        {zoned("n1", "a")},
        {a_pod("x").set("spec.affinity.podAntiAffinity", apart).on("n1"), a_pod("y").on("n1")});
    const Decision d = decide(kDefault, web("p").priority(1).info(), world, rotation);
    CHECK(names(d.victims) == Names{"x"});
  }
  SECTION("a victim elsewhere in the domain is out of reach") {
    const auto world =
        a_world({zoned("n1", "a"), zoned("n2", "a")}, {web("w").on("n1"), web("v").on("n2")});
    const Decision d =
        decide(kDefault, a_pod("p").priority(1).set("spec.affinity.podAntiAffinity", apart).info(),
               world, rotation);
    CHECK(d.nominated.empty());
    CHECK(
        d.message ==
        "0/2 nodes are available: 2 node(s) didn't match pod anti-affinity rules. preemption: 0/2 "
        "nodes are available: 2 node(s) didn't match pod anti-affinity rules.");
  }
  SECTION("topology spread") {
    const auto world = a_world({zoned("n1", "a"), zoned("n2", "b").taint("t", "", "NoSchedule")},
                               {web("w").on("n1"), a_pod("x").on("n1")});
    const Decision d =
        decide(kDefault, web("p").priority(1).set("spec.topologySpreadConstraints", spread).info(),
               world, rotation);
    CHECK(names(d.victims) == Names{"w"});
  }
  SECTION("an exclusive claim") {
    auto world = a_world({a_node("n1")}, {a_pod("w").claim("c").on("n1"), a_pod("x").on("n1")});
    world.claims["default/c"] = {true, "v"};
    world.storage.claims["default/c"] = std::make_shared<json::value>(testing::parsed(
        R"({"metadata":{"name":"c","namespace":"default",
            "annotations":{"pv.kubernetes.io/bind-completed":"yes"}},"spec":{"volumeName":"v"}})"));
    world.storage.volumes["v"] =
        std::make_shared<json::value>(testing::parsed(R"({"metadata":{"name":"v"}})"));
    const Decision d = decide(kDefault, a_pod("p").priority(1).claim("c").info(), world, rotation);
    CHECK(names(d.victims) == Names{"w"});
  }
}

// As upstream's tests: who may ask others to leave.
TEST_CASE("a pod asks nobody while who is to leave for it does, if that can help") {
  struct Case {
    const char* name;
    a_pod pod;
    a_node node;
    bool marked;  // the one that leaves was asked to, for the pod
    std::string tail;
  };
  const std::string hopeless =
      "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.";
  const a_pod vip = a_pod("vip").cpu("4").priority(100);
  const char* elsewhere = R"({"requiredDuringSchedulingIgnoredDuringExecution":{
    "nodeSelectorTerms":[{"matchFields":[{"key":"metadata.name","operator":"In",
    "values":["n2"]}]}]}})";
  const std::vector<Case> cases{
      {"its victim leaves", vip, a_node("n1"), true,
       "preemption: not eligible due to a terminating pod on the nominated node."},
      {"another pod leaves", vip, a_node("n1"), false, ""},
      {"the node does not do any more", vip, a_node("n1").taint("t", "", "NoSchedule"), true,
       hopeless},
      {"the node is none of the pod's any more",
       a_pod("vip").cpu("4").priority(100).set("spec.affinity.nodeAffinity", elsewhere),
       a_node("n1"), true, hopeless},
      {"it never does",
       a_pod("vip").cpu("4").priority(100).set("spec.preemptionPolicy", "\"Never\""), a_node("n1"),
       false, "preemption: not eligible due to preemptionPolicy=Never."},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    a_pod leaving =
        placed("a", 10, "4", "n1").set("metadata.deletionTimestamp", R"("2026-01-01T00:00:00Z")");
    if (c.marked) {
      leaving.set(
          "status.conditions",
          R"([{"type":"DisruptionTarget","status":"True","reason":"PreemptionByScheduler"}])");
    }
    Snapshot world = a_world({c.node}, {leaving});
    const PodPtr pod = c.pod.info();
    world.nominations.set(pod, "n1");
    Rotation rotation;
    const Decision d = decide(kDefault, pod, world, rotation);
    CHECK(d.message.ends_with(c.tail));
    CHECK(d.victims.empty() == !c.tail.empty());
  }
}

TEST_CASE("how many budgets a candidate breaks") {
  struct Case {
    const char* name;
    int pods;
    std::set<std::string> leaving;  // status.disruptedPods
    std::int64_t violations;
  };
  const std::vector<Case> cases{
      {"two of one that allows one", 2, {}, 1},
      {"one that left already is not one of them", 2, {"other"}, 1},
      {"one of them is counted already", 2, {"b"}, 0},
      {"of three one is counted, one allowed", 3, {"c"}, 1},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    std::vector<a_pod> pods;
    for (int i = 0; i < c.pods; ++i) {
      pods.push_back(placed(Names{"a", "b", "c"}[i].c_str(), 10, "1", "n1").label("app", "db"));
    }
    Snapshot world = a_world({a_node("n1")}, pods);
    world.budgets["default/db"] = a_budget("db", 1);
    world.budgets["default/db"].leaving = c.leaving;
    Rotation rotation;
    Cycle cycle(kDefault, a_pod("vip").cpu("4").priority(100).info(), world, rotation);
    cycle.filter();
    const Candidates candidates = cycle.post_filter();
    REQUIRE(candidates.size() == 1);
    CHECK(candidates[0]->victims.size() == static_cast<size_t>(c.pods));
    CHECK(candidates[0]->violations == c.violations);
  }
}

TEST_CASE("the search goes on until a node is found where no budget is broken") {
  std::vector<a_node> nodes;
  std::vector<a_pod> pods;
  for (const char* name : {"n1", "n2", "n3", "n4", "n5"}) {
    nodes.push_back(a_node(name));
    const bool free = std::string(name) == "n3";
    pods.push_back(placed((std::string("on-") + name).c_str(), 10, "4", name)
                       .label("app", free ? "web" : "db"));
  }
  Snapshot world = a_world(nodes, pods);
  world.budgets["default/db"] = a_budget("db", 0);
  PluginArgs args;
  args.preemption = {40, 2};
  const Profile profile = default_profile(args);
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Rotation rotation;
    rotation.chance = Rng(seed);
    Cycle cycle(profile, a_pod("vip").cpu("4").priority(100).info(), world, rotation);
    cycle.filter();
    const Candidates candidates = cycle.post_filter();
    CHECK(candidates.size() >= 2);
    CHECK(std::any_of(candidates.begin(), candidates.end(),
                      [](const CandidatePtr& one) { return one->node == "n3"; }));
    cycle.nominate(candidates);
    CHECK(cycle.take().nominated == "n3");
  }
}

TEST_CASE("the node is chosen by the harm: rows of upstream's") {
  struct Row {
    const char* name;
    std::int64_t priority;
    const char* started;  // a digit; empty: not
    const char* cpu;
    const char* node;
  };
  struct Case {
    const char* name;
    std::vector<Row> rows;
    std::string node;
  };
  const std::vector<Case> cases{
      {"the least first victim",
       {{"a", 100, "", "2", "n1"},
        {"b", 100, "", "2", "n1"},
        {"c", 100, "", "2", "n2"},
        {"d", 0, "", "2", "n2"},
        {"e", 0, "", "2", "n3"},
        {"f", 0, "", "2", "n3"}},
       "n3"},
      {"a priority below nothing weighs, too: so fewer are better",
       {{"a", 100, "", "1", "n1"},
        {"b", -100, "", "1", "n1"},
        {"c", -100, "", "2", "n1"},
        {"d", 100, "", "3", "n2"},
        {"e", -100, "", "1", "n2"},
        {"f", 100, "", "2", "n3"},
        {"g", -100, "", "1", "n3"},
        {"h", 0, "", "1", "n3"}},
       "n2"},
      {"alike but for the start",
       {{"a", 100, "2", "2", "n1"},
        {"b", 100, "2", "2", "n1"},
        {"c", 100, "3", "2", "n2"},
        {"d", 100, "3", "2", "n2"},
        {"e", 100, "1", "2", "n3"},
        {"f", 100, "1", "2", "n3"}},
       "n2"},
      {"the oldest of a node counts",
       {{"a", 100, "4", "2", "n1"},
        {"b", 100, "2", "2", "n1"},
        {"c", 100, "5", "2", "n2"},
        {"d", 100, "1", "2", "n2"},
        {"e", 100, "3", "2", "n3"},
        {"f", 100, "6", "2", "n3"}},
       "n3"},
      {"the oldest of the most important",
       {{"a", 0, "4", "2", "n1"},
        {"b", 100, "2", "2", "n1"},
        {"c", 100, "6", "2", "n2"},
        {"d", 0, "1", "2", "n2"},
        {"e", 0, "3", "2", "n3"},
        {"f", 100, "5", "2", "n3"}},
       "n2"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    std::vector<a_pod> pods;
    for (const Row& row : c.rows) {
      a_pod pod = placed(row.name, row.priority, row.cpu, row.node);
      pods.push_back(*row.started == 0 ? pod : started(pod, row.started));
    }
    const Snapshot world = a_world({a_node("n1"), a_node("n2"), a_node("n3")}, pods);
    Rotation rotation;
    const PodPtr vip = a_pod("vip").cpu("4").priority(1000).info();
    CHECK(decide(kDefault, vip, world, rotation).nominated == c.node);
  }
}

TEST_CASE("enough candidates end the search") {
  std::vector<a_node> nodes;
  std::vector<a_pod> pods;
  for (int i = 0; i < 30; ++i) {
    const std::string name = "n" + std::to_string(i);
    nodes.push_back(a_node(name));
    pods.push_back(a_pod("on-" + name).cpu("4").on(name));
  }
  const Snapshot world = a_world(nodes, pods);
  const PodPtr pod = a_pod("vip").cpu("1").priority(1).info();
  for (const auto& [percentage, absolute, wanted] :
       {std::tuple(10, 1, 3U), std::tuple(0, 5, 5U), std::tuple(10, 100, 30U)}) {
    PluginArgs args;
    args.preemption = {percentage, absolute};
    const Profile profile = default_profile(args);
    Rotation rotation;
    Cycle cycle(profile, pod, world, rotation);
    cycle.filter();
    CHECK(cycle.post_filter().size() == wanted);
  }
}

// A copy of the world remembers nothing.
TEST_CASE("what is remembered of nodes decides as if it were found out anew") {
  Cache cache;
  Rng rng(7);
  const auto number = [](const char* prefix, std::uint64_t i) {
    return prefix + std::to_string(i);
  };
  for (std::uint64_t i = 0; i < 40; ++i)
    cache.set_node(parse_node(a_node(number("n", i)).object()));
  for (std::uint64_t i = 0; i < 200; ++i) {
    const auto priority = static_cast<std::int64_t>(rng.below(3));
    a_pod pod = a_pod(number("p", i)).cpu(rng.below(2) == 0 ? "500m" : "1").priority(priority);
    cache.set_pod(pod.on(number("n", i % 40)).info());
  }
  Rotation rotation, twin;
  size_t victims = 0;
  for (std::uint64_t i = 0; i < 200; ++i) {
    CAPTURE(i);
    const auto priority = static_cast<std::int64_t>(1 + rng.below(3));
    const PodPtr pod =
        a_pod(number("vip", i)).cpu(rng.below(3) == 0 ? "3" : "2").priority(priority).info();
    const Snapshot forgetful = cache.snapshot();
    const Decision expected = decide(kDefault, pod, forgetful, twin);
    const Decision decision = decide(kDefault, pod, cache.snapshot(), rotation);
    REQUIRE(decision.node == expected.node);
    REQUIRE(decision.nominated == expected.nominated);
    REQUIRE(decision.message == expected.message);
    REQUIRE(names(decision.victims) == names(expected.victims));
    for (const PodPtr& victim : decision.victims) cache.remove_pod(victim->key);
    victims += decision.victims.size();
    if (!decision.node.empty()) cache.assume(*pod, decision.node);
    // Some take their place at once; some are waited for, and some go away instead.
    Nominations& nominations = cache.surroundings().nominations;
    if (!decision.nominated.empty() && rng.below(3) != 0) {
      cache.assume(*pod, decision.nominated);
    } else if (!decision.nominated.empty()) {
      nominations.set(pod, decision.nominated);
    }
    if (rng.below(4) == 0) nominations.remove("uid-" + number("vip", rng.below(i + 1)));
    if (rng.below(5) == 0) cache.remove_pod("default/" + number("p", rng.below(200)));
  }
  CHECK(victims > 50);
}

TEST_CASE("no victims without a post-filter plugin, and no tail") {
  Profile profile = default_profile();
  profile.at(Point::kPostFilter).clear();
  Rotation rotation;
  const auto world = a_world({a_node("n1")}, {a_pod("a").cpu("4").on("n1")});
  const Decision d = decide(profile, a_pod("p").cpu("1").priority(1).info(), world, rotation);
  CHECK(d.message == "0/1 nodes are available: 1 Insufficient cpu.");
  CHECK(d.victims.empty());
  CHECK(d.clear_nomination);
}

}  // namespace
}  // namespace coracle::scheduler
