#include "driver/extenders.hpp"

#include <catch2/catch.hpp>

#include "base/manual_executor.hpp"
#include "framework/testing.hpp"
#include "plugins/registry.hpp"

namespace coracle::scheduler {
namespace {

using testing::a_node;
using testing::a_pod;
using testing::a_world;
using testing::parsed;

// Answers by URL, and remembers what it was asked.
class FakePort final : public ExtenderPort {
 public:
  Task<Result<Answer>> post(const ExtenderConfig&, std::string url, std::string body) override {
    asked.emplace_back(url, parsed(body));
    const auto answer = answers.find(url);
    if (answer == answers.end()) co_return unavailable("dial tcp: connection refused");
    co_return answer->second;
  }
  std::map<std::string, Answer> answers;
  std::vector<std::pair<std::string, json::value>> asked;
};

ExtenderConfig an_extender(const std::string& name) {
  ExtenderConfig config;
  config.url_prefix = "http://" + name;
  config.filter_verb = "filter";
  config.node_cache_capable = true;
  return config;
}

const Profile kDefault = default_profile();

struct World {
  explicit World(std::vector<ExtenderConfig> configs, const std::vector<a_pod>& placed = {},
                 const Profile& with = kDefault)
      : profile(with),
        snapshot(a_world({a_node("a"), a_node("b"), a_node("c")}, placed)),
        extenders(std::move(configs), &port, nullptr,
                  {[](const std::string& key) { return json::value(json::object{{"key", key}}); },
                   [](const std::string& name) { return a_node(name).object(); }}) {}
  Decision decide(const a_pod& pod) {
    std::optional<Decision> out;
    spawn<Decision>(extenders.decide(profile, pod.info(), snapshot, rotation),
                    [&](Decision decision) { out = std::move(decision); });
    REQUIRE(out.has_value());
    return std::move(*out);
  }
  const Profile& profile;
  FakePort port;
  Snapshot snapshot;
  Rotation rotation;
  Extenders extenders;
};

TEST_CASE("extenders filter one after the other") {
  World world({an_extender("x"), an_extender("y")});
  world.port.answers["http://x/filter"] = {200,
                                           R"({"NodeNames":["c","a"],"FailedNodes":{"b":"hot"}})"};
  world.port.answers["http://y/filter"] = {200, R"({"NodeNames":["c"]})"};
  CHECK(world.decide(a_pod("p")).node == "c");
  REQUIRE(world.port.asked.size() == 2);
  CHECK(world.port.asked[1].second.at("NodeNames") == parsed(R"(["c","a"])"));
}

TEST_CASE("extenders that agree on no node leave none") {
  World world({an_extender("x"), an_extender("y")});
  world.port.answers["http://x/filter"] = {200, R"({"NodeNames":["b"]})"};
  world.port.answers["http://y/filter"] = {200, R"({"NodeNames":[]})"};
  const Decision d = world.decide(a_pod("p"));
  CHECK(d.kind == Decision::Kind::kFitsNowhere);
  CHECK(world.port.asked[1].second.at("NodeNames") == parsed(R"(["b"])"));
}

TEST_CASE("an extender that may be ignored leaves the next one its say") {
  ExtenderConfig broken = an_extender("x");
  broken.ignorable = true;
  World world({broken, an_extender("y")});
  world.port.answers["http://y/filter"] = {200, R"({"NodeNames":["b"]})"};
  CHECK(world.decide(a_pod("p")).node == "b");
  CHECK(world.port.asked[1].second.at("NodeNames").as_array().size() == 3);
}

TEST_CASE("without scores an extender is still asked about all nodes that fit") {
  Profile profile = default_profile();
  profile.scorers.clear();
  World filtering({an_extender("x")}, {}, profile);
  filtering.port.answers["http://x/filter"] = {200, R"({"NodeNames":["c"]})"};
  CHECK(filtering.decide(a_pod("p")).node == "c");

  ExtenderConfig config = an_extender("x");
  config.filter_verb.clear();
  config.prioritize_verb = "rank";
  config.weight = 1;
  World ranking({config}, {}, profile);
  ranking.port.answers["http://x/rank"] = {200, R"([{"Host":"b","Score":10}])"};
  CHECK(ranking.decide(a_pod("p")).node == "b");
}

TEST_CASE("where an extender leaves nothing, its reasons are in the sentence") {
  World world({an_extender("x")});
  world.port.answers["http://x/filter"] = {200,
                                           R"({"NodeNames":[],"FailedNodes":{"a":"hot","b":"hot"},
               "FailedAndUnresolvableNodes":{"c":"broken"}})"};
  const Decision d = world.decide(a_pod("p"));
  CHECK(d.message ==
        "0/3 nodes are available: 1 broken, 2 hot. preemption: 0/3 nodes are available: 1 "
        "Preemption is not helpful for scheduling, 2 No preemption victims found for incoming "
        "pod.");
  REQUIRE(d.rejected_by.size() == 1);
  CHECK(d.rejected_by[0]->name() == "Extender");
  CHECK((d.rejected_by[0]->helped_by() & event::kNodeAdded) != 0);
}

TEST_CASE("an extender that fails breaks the decision, unless it may be ignored") {
  for (const bool ignorable : {false, true}) {
    ExtenderConfig config = an_extender("x");
    config.ignorable = ignorable;
    World world({config});
    Decision d = world.decide(a_pod("p"));
    CHECK((d.kind == Decision::Kind::kPlaced) == ignorable);
    if (!ignorable) CHECK(d.message == "Post \"http://x/filter\": dial tcp: connection refused");
    world.port.answers["http://x/filter"] = {503, "busy"};
    d = world.decide(a_pod("p"));
    if (!ignorable) {
      CHECK(d.message == "failed filter with extender at URL http://x/filter, code 503");
    }
  }
}

TEST_CASE("scores of extenders count ten times their weight") {
  ExtenderConfig config = an_extender("x");
  config.filter_verb.clear();
  config.prioritize_verb = "rank";
  config.weight = 2;
  World world({config}, {a_pod("load").cpu("3").on("b")});
  world.port.answers["http://x/rank"] = {200,
                                         R"([{"Host":"b","Score":10},{"Host":"a","Score":1}])"};
  const Decision d = world.decide(a_pod("p").cpu("500m"));
  CHECK(d.node == "b");
  REQUIRE(d.why.scorers.back().name == "http://x");
  CHECK(d.why.scorers.back().weight == 2);
  const size_t rows = d.why.scored(), last = (d.why.scorers.size() - 1) * rows;
  CHECK(d.why.raw[last + 1] == 10);
  CHECK(d.why.normalized[last + 1] == 100);
  world.port.answers.clear();  // no scores: as if it were not there
  CHECK(world.decide(a_pod("p").cpu("500m")).node != "b");
}

TEST_CASE("of two extenders the one of more weight decides, beside our own scores") {
  const auto ranking = [](const std::string& name, std::int64_t weight) {
    ExtenderConfig config = an_extender(name);
    config.filter_verb.clear();
    config.prioritize_verb = "rank";
    config.weight = weight;
    return config;
  };
  World world({ranking("x", 1), ranking("y", 5)});
  world.port.answers["http://x/rank"] = {200, R"([{"Host":"a","Score":10}])"};
  world.port.answers["http://y/rank"] = {200, R"([{"Host":"b","Score":10}])"};
  CHECK(world.decide(a_pod("p")).node == "b");
  world.port.answers["http://y/rank"] = {500, "no"};  // counts as nothing said
  CHECK(world.decide(a_pod("p")).node == "a");
}

TEST_CASE("extenders judge where to preempt") {
  ExtenderConfig config = an_extender("x");
  config.filter_verb.clear();
  config.preempt_verb = "preempt";
  World world({config}, {a_pod("la").cpu("4").on("a"), a_pod("lb").cpu("4").priority(1).on("b"),
                         a_pod("lc").cpu("4").priority(2).on("c")});
  const a_pod vip = a_pod("vip").cpu("1").priority(9);
  world.port.answers["http://x/preempt"] = {
      200, R"({"NodeNameToMetaVictims":{"c":{"Pods":[{"UID":"uid-lc"}]}}})"};
  Decision d = world.decide(vip);
  CHECK(d.nominated == "c");
  CHECK(world.port.asked[0].second.at("NodeNameToMetaVictims").as_object().size() == 3);
  world.port.answers["http://x/preempt"] = {200, "{}"};
  d = world.decide(vip);
  CHECK(d.nominated.empty());
  CHECK(d.message ==
        "0/3 nodes are available: 3 Insufficient cpu. preemption: no candidate node "
        "for preemption");
}

TEST_CASE("pods that ask for nothing it manages do not concern an extender") {
  ExtenderConfig config = an_extender("x");
  config.managed_resources = {"example.com/gpu"};
  const World world({config});
  CHECK_FALSE(world.extenders.decide_on(kDefault, *a_pod("p").cpu("1").info()));
  CHECK(world.extenders.decide_on(kDefault, *a_pod("p").request("example.com/gpu", "1").info()));
  // To name it is enough, wherever and however little.
  for (const char* container :
       {R"([{"name":"c","resources":{"requests":{"example.com/gpu":"0"}}}])",
        R"([{"name":"c","resources":{"limits":{"example.com/gpu":"0"}}}])"}) {
    for (const char* list : {"spec.containers", "spec.initContainers"}) {
      CHECK(world.extenders.decide_on(kDefault, *a_pod("p").set(list, container).info()));
    }
  }
  CHECK(World({an_extender("all")}).extenders.decide_on(kDefault, *a_pod("p").info()));
  CHECK_FALSE(world.extenders.bind(*a_pod("p").request("example.com/gpu", "1").info()));
}

TEST_CASE("an extender binds in our place") {
  ExtenderConfig config = an_extender("x");
  config.bind_verb = "bind";
  World world({config});
  const auto bound = [&] {
    std::optional<Result<bool>> out;
    spawn<Result<bool>>(world.extenders.bind_to(a_pod("p").info(), "a"),
                        [&](Result<bool> result) { out = std::move(result); });
    return std::move(*out);
  };
  world.port.answers["http://x/bind"] = {200, "{}"};
  CHECK(*bound());
  world.port.answers["http://x/bind"] = {200, R"({"Error":"taken"})"};
  CHECK(bound().status().message() == "taken");
}

}  // namespace
}  // namespace coracle::scheduler
