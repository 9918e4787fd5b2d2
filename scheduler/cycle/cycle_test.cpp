#include "cycle/cycle.hpp"

#include <catch2/catch.hpp>

#include "framework/testing.hpp"
#include "plugins/registry.hpp"

namespace coracle::scheduler {
namespace {

using testing::a_node;
using testing::a_pod;
using testing::a_world;

const std::string kHopeless3 =
    " preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.";

// Plugins must outlive what is said of them.
const Profile kDefault = default_profile();

Decision decided(const a_pod& pod, const Snapshot& world, Rotation& rotation) {
  return decide(kDefault, pod.info(), world, rotation);
}

std::string said_of(const Decision& decision, std::string_view node, std::string_view plugin) {
  const Explanation& why = decision.why;
  for (size_t row = 0; row < why.rows(); ++row) {
    for (size_t column = 0; column < why.filters.size(); ++column) {
      if (why.node(row).name != node || why.filters[column]->name() != plugin) continue;
      const std::uint16_t number = why.at(row, column);
      if (number == Explanation::kPassed) return "passed";
      return number == Explanation::kNotAsked ? "not asked" : why.text(number).reasons().front();
    }
  }
  return "no such row";
}

TEST_CASE("where no node fits, the reasons are upstream's sentence") {
  struct Case {
    const char* name;
    std::vector<a_node> nodes;
    std::vector<a_pod> placed;
    a_pod pod;
    std::string message;
  };
  const std::string taint = "node-role.kubernetes.io/control-plane";
  const std::vector<a_node> three{a_node("n1"), a_node("n2"), a_node("n3")};
  const std::vector<Case> cases{
      {"no nodes", {}, {}, a_pod("p"), "no nodes available to schedule pods"},
      {"more than any node has",
       three,
       {},
       a_pod("p").cpu("5"),
       "0/3 nodes are available: 3 Insufficient cpu." + kHopeless3},
      {"two reasons, sorted as text",
       {a_node("n1").taint(taint, "", "NoSchedule"), a_node("n2"), a_node("n3")},
       {a_pod("a").cpu("4").on("n2"), a_pod("b").cpu("4").on("n3")},
       a_pod("p").cpu("1"),
       "0/3 nodes are available: 1 node(s) had untolerated taint {" + taint +
           ": }, 2 Insufficient cpu. preemption: 0/3 nodes are available: 1 Preemption is not "
           "helpful for scheduling, 2 No preemption victims found for incoming pod."},
      {"cordoned",
       {a_node("n1").set("spec.unschedulable", "true")},
       {},
       a_pod("p"),
       "0/1 nodes are available: 1 node(s) were unschedulable. preemption: 0/1 nodes are "
       "available: 1 Preemption is not helpful for scheduling."},
      {"node selector",
       three,
       {},
       a_pod("p").set("spec.nodeSelector", R"({"disk":"ssd"})"),
       "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector." +
           kHopeless3},
      {"host port",
       {a_node("n1")},
       {a_pod("a").host_port(80).on("n1")},
       a_pod("p").host_port(80),
       "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports. "
       "preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."},
      {"full node",
       {a_node("n1").has("pods", "1")},
       {a_pod("a").on("n1")},
       a_pod("p"),
       "0/1 nodes are available: 1 Too many pods. preemption: 0/1 nodes are available: 1 No "
       "preemption victims found for incoming pod."},
      {"may not preempt",
       {a_node("n1")},
       {},
       a_pod("p").cpu("5").set("spec.preemptionPolicy", "\"Never\""),
       "0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to "
       "preemptionPolicy=Never."},
      {"too little even without the less important",
       {a_node("n1"), a_node("n2").has("cpu", "1")},
       {a_pod("a").cpu("2").priority(5).on("n1"), a_pod("b").cpu("2").on("n1")},
       a_pod("p").cpu("3").priority(2),
       "0/2 nodes are available: 2 Insufficient cpu. preemption: 0/2 nodes are available: 1 "
       "Insufficient cpu, 1 Preemption is not helpful for scheduling."},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    Rotation rotation;
    const Decision d = decided(c.pod, a_world(c.nodes, c.placed), rotation);
    CHECK(d.kind == Decision::Kind::kFitsNowhere);
    CHECK(d.message == c.message);
  }
}

TEST_CASE("the emptier node is preferred") {
  Rotation rotation;
  const auto world = a_world({a_node("n1"), a_node("n2")}, {a_pod("a").cpu("2").on("n1")});
  const Decision d = decided(a_pod("p").cpu("1"), world, rotation);
  CHECK(d.kind == Decision::Kind::kPlaced);
  CHECK(d.node == "n2");
  CHECK(d.why.scored() == 2);
}

TEST_CASE("equals take turns") {
  Rotation rotation;
  const auto world = a_world({a_node("n1"), a_node("n2"), a_node("n3")});
  std::vector<std::string> chosen;
  for (int i = 0; i < 4; ++i) {
    chosen.push_back(decided(a_pod("p"), world, rotation).node);
  }
  CHECK(chosen == std::vector<std::string>{"n1", "n2", "n3", "n1"});
}

TEST_CASE("pod anti-affinity and topology spread say no") {
  Rotation rotation;
  const char* apart = R"({"requiredDuringSchedulingIgnoredDuringExecution":[
    {"labelSelector":{"matchLabels":{"app":"web"}},"topologyKey":"kubernetes.io/hostname"}]})";
  const auto world = a_world({a_node("n1")}, {a_pod("a").label("app", "web").on("n1")});
  auto d = decided(a_pod("p").set("spec.affinity.podAntiAffinity", apart), world, rotation);
  CHECK(d.message.starts_with(
      "0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules. preemption:"));
  const char* spread = R"([{"maxSkew":1,"topologyKey":"zone","whenUnsatisfiable":"DoNotSchedule",
    "labelSelector":{"matchLabels":{"app":"web"}}}])";
  const auto zones = a_world({a_node("n1").label("zone", "a"), a_node("n2").label("zone", "b")},
                             {a_pod("a").label("app", "web").on("n1")});
  d = decided(a_pod("p").label("app", "web").set("spec.topologySpreadConstraints", spread), zones,
              rotation);
  CHECK(d.node == "n2");
  CHECK(said_of(d, "n1", "PodTopologySpread") ==
        "node(s) didn't match pod topology spread constraints");
  CHECK(said_of(d, "n1", "NodeResourcesFit") == "passed");
}

TEST_CASE("all filters are asked about a node that is out") {
  Rotation rotation;
  const auto world = a_world({a_node("n1").taint("t", "v", "NoSchedule"), a_node("n2")});
  const Decision d = decided(a_pod("p").cpu("5"), world, rotation);
  CHECK(said_of(d, "n1", "TaintToleration") == "node(s) had untolerated taint {t: v}");
  CHECK(said_of(d, "n1", "NodeResourcesFit") == "Insufficient cpu");
  CHECK(said_of(d, "n2", "TaintToleration") == "passed");
  CHECK(said_of(d, "n1", "NodePorts") == "no such row");  // it has no say
}

TEST_CASE("nodes that required affinity does not name are not looked at") {
  Rotation rotation;
  const auto world =
      a_world({a_node("n1"), a_node("n2"), a_node("n3")}, {a_pod("a").cpu("4").on("n2")});
  const char* only_n2 = R"({"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[
    {"matchFields":[{"key":"metadata.name","operator":"In","values":["n2"]}]}]}})";
  const Decision d =
      decided(a_pod("p").cpu("1").set("spec.affinity.nodeAffinity", only_n2), world, rotation);
  CHECK(d.message ==
        "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't satisfy plugin(s) "
        "[NodeAffinity]. preemption: 0/3 nodes are available: 1 No preemption victims found for "
        "incoming pod, 2 Preemption is not helpful for scheduling.");
  CHECK(d.looked_at == 1);
}

TEST_CASE("a pod waits for victims: the message has no tail, and its place is kept") {
  Rotation rotation;
  auto world = a_world({a_node("n1"), a_node("n2")},
                       {a_pod("a").cpu("3").on("n1"), a_pod("b").cpu("3").priority(9).on("n2")});
  const PodPtr vip = a_pod("vip").cpu("2").priority(5).info();
  Decision d = decide(kDefault, vip, world, rotation);
  CHECK(d.kind == Decision::Kind::kFitsNowhere);
  CHECK(d.message == "0/2 nodes are available: 2 Insufficient cpu.");
  CHECK(d.nominated == "n1");
  REQUIRE(d.victims.size() == 1);
  CHECK(d.victims[0]->name == "a");

  world.nominations.set(vip, "n1");
  SECTION("not for one that is more important, even if there is room when the victim is gone") {
    world.remove_pod(0, "default/a");
    CHECK(decided(a_pod("p").cpu("3"), world, rotation).message ==
          "0/2 nodes are available: 2 Insufficient cpu. preemption: 0/2 nodes are available: 2 No "
          "preemption victims found for incoming pod.");
    CHECK(decided(a_pod("p").cpu("2"), world, rotation).node == "n1");
    CHECK(decided(a_pod("p").cpu("3").priority(6), world, rotation).node == "n1");
    d = decide(kDefault, vip, world, rotation);
    CHECK(d.node == "n1");
    CHECK(d.looked_at == 1);
  }
  SECTION("it does not ask twice while a victim leaves") {
    world.remove_pod(0, "default/a");
    world.add_pod(
        0,
        a_pod("a")
            .cpu("3")
            .on("n1")
            .set("metadata.deletionTimestamp", R"("2026-01-01T00:00:00Z")")
            .set(
                "status.conditions",
                R"([{"type":"DisruptionTarget","status":"True","reason":"PreemptionByScheduler"}])")
            .info());
    d = decide(kDefault, vip, world, rotation);
    CHECK(d.message ==
          "0/2 nodes are available: 2 Insufficient cpu. preemption: not eligible due to a "
          "terminating pod on the nominated node.");
    CHECK_FALSE(d.clear_nomination);
  }
}

// Its pre_filter refuses for now and computes nothing; its filter would need what it computed.
class RefusesAll final : public Plugin {
 public:
  std::string_view name() const override { return "RefusesAll"; }
  Verdict pre_filter(const PodInfo&, const Snapshot&, StatePtr*) const override {
    return Verdict::not_now("not today");
  }
  Verdict filter(const PodInfo&, const NodeInfo&, const PluginState* state) const override {
    CHECK(state != nullptr);
    return Verdict::yes();
  }
};

TEST_CASE("a no for all nodes stands, whoever would leave") {
  Profile profile = default_profile();
  profile.plugins.push_back(std::make_shared<RefusesAll>());
  for (const Point point : {Point::kPreFilter, Point::kFilter}) {
    profile.at(point).push_back(profile.plugins.back().get());
  }
  Rotation rotation;
  const auto world = a_world({a_node("n1")}, {a_pod("a").on("n1")});
  const Decision d = decide(profile, a_pod("p").priority(1).info(), world, rotation);
  CHECK(d.message ==
        "0/1 nodes are available: not today. preemption: 0/1 nodes are available: 1 "
        "not today.");
  CHECK(d.victims.empty());
}

struct PostFilters final : Plugin {
  PostFilters(std::string_view name, Verdict verdict) : name_(name), verdict_(std::move(verdict)) {}
  std::string_view name() const override { return name_; }
  PostFiltered post_filter(const PostFilterInput&) const override {
    PostFiltered result;
    result.verdict = verdict_;
    if (verdict_.is_yes()) {
      const std::vector<PodPtr> leaving{a_pod("v").on("n1").info()};
      result.candidates.push_back(std::make_shared<Candidate>("n1", leaving, 0));
    }
    return result;
  }
  const std::string_view name_;
  const Verdict verdict_;
};

TEST_CASE("post-filter plugins are asked until one can help, or says never") {
  struct Case {
    const char* name;
    Verdict first, second;
    std::string message, nominated;
  };
  const Verdict yes = Verdict::yes(), one = Verdict::not_now("one"), two = Verdict::not_now("two"),
                never = Verdict::never("never");
  const std::string head = "0/1 nodes are available: 1 Insufficient cpu.";
  const std::vector<Case> cases{
      {"the first helps", yes, two, head, "n1"},
      {"the second helps", one, yes, head, "n1"},
      {"neither helps", one, two, head + " one, two", ""},
      {"the first says never", never, yes, head + " never", ""},
      {"the second says never, and has the last word", one, never, head + " never", ""},
      {"the first has no say", Verdict::skip(), yes, head, "n1"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    Profile profile = default_profile();
    profile.at(Point::kPostFilter).clear();
    for (const auto& [name, verdict] : {std::pair("First", c.first), {"Second", c.second}}) {
      profile.plugins.push_back(std::make_shared<PostFilters>(name, verdict));
      profile.at(Point::kPostFilter).push_back(profile.plugins.back().get());
    }
    Rotation rotation;
    const Decision d =
        decide(profile, a_pod("p").cpu("5").info(), a_world({a_node("n1")}), rotation);
    CHECK(d.message == c.message);
    CHECK(d.nominated == c.nominated);
  }
}

struct PreFilters final : Plugin {
  PreFilters(std::string_view name, Verdict verdict, std::set<std::string>* asked)
      : name_(name), verdict_(std::move(verdict)), asked_(asked) {}
  std::string_view name() const override { return name_; }
  Verdict pre_filter(const PodInfo&, const Snapshot&, StatePtr*) const override {
    asked_->emplace(name_);
    return verdict_;
  }
  const std::string_view name_;
  const Verdict verdict_;
  std::set<std::string>* asked_;
};

TEST_CASE("pre-filter plugins are asked until one says never or breaks") {
  struct Case {
    const char* name;
    Verdict first;
    bool second_asked;
    Decision::Kind kind;
    std::string message;
  };
  const std::vector<Case> cases{
      {"yes", Verdict::yes(), true, Decision::Kind::kPlaced, ""},
      {"skip", Verdict::skip(), true, Decision::Kind::kPlaced, ""},
      {"not now", Verdict::not_now("later"), true, Decision::Kind::kFitsNowhere,
       "0/1 nodes are available: later."},
      {"never", Verdict::never("no"), false, Decision::Kind::kFitsNowhere,
       "0/1 nodes are available: no."},
      {"broken", Verdict::broken(Status(Code::kInternal, "oops")), false, Decision::Kind::kBroken,
       "running PreFilter plugin \"First\": "},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    Profile profile = default_profile();
    profile.at(Point::kPostFilter).clear();
    std::set<std::string> asked;
    auto& at = profile.at(Point::kPreFilter);
    at.clear();
    profile.at(Point::kFilter).clear();
    for (const auto& [name, verdict] : {std::pair("First", c.first), {"Second", Verdict::yes()}}) {
      profile.plugins.push_back(std::make_shared<PreFilters>(name, verdict, &asked));
      at.push_back(profile.plugins.back().get());
    }
    Rotation rotation;
    const Decision d = decide(profile, a_pod("p").info(), a_world({a_node("n1")}), rotation);
    CHECK(d.kind == c.kind);
    CHECK(d.message.starts_with(c.message));
    CHECK(asked.contains("Second") == c.second_asked);
  }
}

struct Narrows final : Plugin {
  Narrows(std::string_view name, std::set<std::string> nodes)
      : name_(name), nodes_(std::move(nodes)) {}
  std::string_view name() const override { return name_; }
  std::optional<std::set<std::string>> only_nodes(const PodInfo&) const override { return nodes_; }
  const std::string_view name_;
  const std::set<std::string> nodes_;
};

TEST_CASE("pre-filter plugins may name the nodes that are worth a look") {
  struct Case {
    const char* name;
    std::vector<std::set<std::string>> named;  // by the first, the second
    std::string node, message;
    int looked_at;
  };
  const std::string head = "0/3 nodes are available: ";
  const std::vector<Case> cases{
      {"both name one", {{"n2"}, {"n1", "n2"}}, "n2", "", 1},
      {"two are named, but one is enough", {{"n1", "n2"}}, "n1", "", 1},
      {"they name different ones",
       {{"n2"}, {"n1"}},
       "",
       head + "node(s) didn't satisfy plugin(s) [First Second] simultaneously.",
       0},
      {"none", {{}}, "", head + "node(s) didn't satisfy plugin First.", 0},
      {"one that is not there",
       {{"n9"}},
       "",
       head + "3 node(s) didn't satisfy plugin(s) [First].",
       0},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    Profile profile = default_profile();
    profile.scorers.clear();
    for (const Point point : {Point::kPreFilter, Point::kFilter, Point::kPostFilter}) {
      profile.at(point).clear();
    }
    const char* const names[] = {"First", "Second"};
    for (size_t i = 0; i < c.named.size(); ++i) {
      profile.plugins.push_back(std::make_shared<Narrows>(names[i], c.named[i]));
      profile.at(Point::kPreFilter).push_back(profile.plugins.back().get());
    }
    Rotation rotation;
    const Snapshot world = a_world({a_node("n1"), a_node("n2"), a_node("n3")});
    const Decision d = decide(profile, a_pod("p").info(), world, rotation);
    CHECK(d.node == c.node);
    CHECK(d.message == c.message);
    CHECK(d.looked_at == c.looked_at);
  }
}

TEST_CASE("the node a pod waits for is looked at first, and the others only if it does not do") {
  const std::vector<a_node> three{a_node("n1"), a_node("n2"), a_node("n3")};
  for (const bool fits : {true, false}) {
    CAPTURE(fits);
    Snapshot world = a_world(three, {a_pod("a").cpu(fits ? "1" : "4").on("n1")});
    const PodPtr pod = a_pod("p").cpu("2").priority(7).info();
    world.nominations.set(pod, "n1");
    Rotation rotation;
    const Decision d = decide(kDefault, pod, world, rotation);
    CHECK(d.looked_at == (fits ? 1 : 3));
    CHECK((d.node == "n1") == fits);
  }
}

TEST_CASE("the next search begins where the last one ended") {
  std::vector<a_node> nodes;
  for (int i = 0; i < 500; ++i) nodes.push_back(a_node("n" + std::to_string(i)));
  const Snapshot world = a_world(nodes);
  Profile profile = default_profile();
  profile.percentage_of_nodes = 30;
  Rotation rotation;
  for (size_t i = 1; i <= 8; ++i) {
    CHECK(decide(profile, a_pod("p").info(), world, rotation).looked_at == 150);
    CHECK(rotation.next_start == i * 150 % 500);
  }
}

TEST_CASE("without scores the first fitting node is enough, unless others judge") {
  Profile profile = default_profile();
  profile.scorers.clear();
  const Snapshot world = a_world({a_node("n1"), a_node("n2"), a_node("n3")});
  for (const bool judged : {false, true}) {
    Rotation rotation;
    Cycle cycle(profile, a_pod("p").info(), world, rotation);
    cycle.filter(judged);
    CHECK(cycle.fitting().size() == (judged ? 3 : 1));
  }
}

TEST_CASE("how many fitting nodes are enough") {
  CHECK(enough_nodes(10, 40) == 10);
  CHECK(enough_nodes(99, 0) == 99);
  CHECK(enough_nodes(1000, 0) == 420);
  CHECK(enough_nodes(1000, 40) == 400);
  CHECK(enough_nodes(5000, 0) == 500);
  CHECK(enough_nodes(6000, 0) == 300);
  CHECK(enough_nodes(6000, 40) == 2400);
  CHECK(enough_nodes(200, 10) == 100);
}

}  // namespace
}  // namespace coracle::scheduler
