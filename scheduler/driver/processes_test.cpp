#include "driver/processes.hpp"

#include <catch2/catch.hpp>

#include "driver/extenders.hpp"
#include "framework/testing.hpp"
#include "plugins/registry.hpp"

namespace coracle::scheduler {
namespace {

using testing::a_node;
using testing::a_pod;
using testing::a_world;
using testing::parsed;

// Answers from a list, and remembers what it was asked.
class FakePort final : public ProcessPort {
 public:
  Task<Result<std::uint64_t>> ready(const ProcessSpec&) override {
    if (down) co_return unavailable("it does not run (exit code 1); it is started again in 2s");
    co_return life;
  }
  Task<Result<std::string>> exchange(const ProcessSpec&, std::string line, Duration) override {
    asked.push_back(parsed(line));
    if (asked.back().as_object().contains("hello")) {
      co_return R"({"hello":{"protocol":1,"points":["filter","score"]}})";
    }
    if (answer.empty()) co_return unavailable("no answer within 1s");
    json::value said = parsed(answer);
    if (!said.as_object().contains("id")) said.as_object()["id"] = asked.back().at("id");
    co_return json::serialize(said);
  }
  void discard(const ProcessSpec&, const Status& why) override { discarded = why.message(); }

  std::uint64_t life = 1;
  bool down = false;
  std::string answer, discarded;
  std::vector<json::value> asked;
};

Profile profile_with(ProcessSpec::OnFailure on_failure) {
  ProcessSpec spec;
  spec.key = "default-scheduler/Carbon";
  spec.name = "Carbon";
  spec.command = {"carbon.py"};
  spec.on_failure = on_failure;
  Profile profile = default_profile();
  profile.plugins.push_back(std::make_shared<ProcessPlugin>(spec));
  const Plugin* plugin = profile.plugins.back().get();
  profile.at(Point::kFilter).push_back(plugin);
  profile.at(Point::kScore).push_back(plugin);
  profile.scorers.push_back({plugin, 10});
  profile.asks_programs = true;
  return profile;
}

struct World {
  explicit World(ProcessSpec::OnFailure on_failure = ProcessSpec::OnFailure::kStop)
      : profile(profile_with(on_failure)),
        snapshot(a_world({a_node("a"), a_node("b"), a_node("c")})),
        extenders({}, nullptr, &port,
                  {[](const std::string& key) { return json::value(json::object{{"key", key}}); },
                   [](const std::string& name) { return a_node(name).object(); }}) {}
  Decision decide(const a_pod& pod) {
    std::optional<Decision> out;
    spawn<Decision>(extenders.decide(profile, pod.info(), snapshot, rotation),
                    [&](Decision decision) { out = std::move(decision); });
    REQUIRE(out.has_value());
    return std::move(*out);
  }
  FakePort port;
  const Profile profile;
  Snapshot snapshot;
  Rotation rotation;
  Extenders extenders;
};

TEST_CASE("a program's filter and score change where a pod goes") {
  World world;
  world.port.answer = R"({"filter":{"a":"dirty power"},"score":{"b":0,"c":90}})";
  for (int i = 0; i < 3; ++i) {
    const Decision d = world.decide(a_pod("p").cpu("100m"));
    CHECK(d.node == "c");
    REQUIRE(d.why.filters.back()->name() == "Carbon");
    CHECK(d.why.text(d.why.at(0, d.why.filters.size() - 1)) == Verdict::never("dirty power"));
    CHECK(d.why.scorers.back().name == "Carbon");
    CHECK(d.why.normalized.back() == 90);
    CHECK(d.notes.empty());
  }
  // Greeted once; all nodes in one question; nodes that stayed as they were are not told again.
  REQUIRE(world.port.asked.size() == 4);
  CHECK(world.port.asked[1].at("nodes").as_array().size() == 3);
  CHECK(world.port.asked[1].at("changed").as_array().size() == 3);
  CHECK(world.port.asked[2].at("changed").as_array().empty());
  world.port.life = 2;  // a new one knows nothing
  world.decide(a_pod("p"));
  REQUIRE(world.port.asked.size() == 6);
  CHECK(world.port.asked[4].as_object().contains("hello"));
  CHECK(world.port.asked[5].at("changed").as_array().size() == 3);
}

TEST_CASE("where a program leaves nothing, its reasons are in the sentence") {
  World world;
  world.port.answer = R"({"filter":{"a":"dirty","b":"dirty","c":"dirty"},"score":{}})";
  const Decision d = world.decide(a_pod("p"));
  CHECK(d.message ==
        "0/3 nodes are available: 3 dirty. preemption: 0/3 nodes are available: 3 Preemption is "
        "not helpful for scheduling.");
  REQUIRE(d.rejected_by.size() == 1);
  CHECK(d.rejected_by[0]->name() == "Carbon");
}

TEST_CASE("a program that has no say about a pod is left out of it") {
  World world;
  world.port.answer = R"({"skip":true})";
  const Decision d = world.decide(a_pod("p"));
  CHECK(d.kind == Decision::Kind::kPlaced);
  CHECK(d.why.scorers.back().name != "Carbon");
  CHECK(d.why.at(0, d.why.filters.size() - 1) == Explanation::kNotAsked);
  CHECK(d.notes.empty());
}

TEST_CASE("a program that fails stops the decision, or is skipped and named") {
  struct Case {
    const char* name;
    bool down;
    const char* answer;
    const char* said;
    bool discarded;
  };
  const auto c = GENERATE(values<Case>({
      {"it does not run", true, "", "it does not run (exit code 1); it is started again in 2s",
       false},
      {"it hangs", false, "", "no answer within 1s", false},
      {"nonsense", false, R"({"id":99})", "its answer is not to question 1; it said: {\"id\":99}",
       true},
      {"its own error", false, R"({"error":"no data"})", "no data", false},
  }));
  CAPTURE(c.name);
  const std::string what = std::string("running plugin \"Carbon\" (carbon.py): ") + c.said;
  for (const auto on_failure : {ProcessSpec::OnFailure::kStop, ProcessSpec::OnFailure::kSkip}) {
    World world(on_failure);
    world.port.down = c.down;
    world.port.answer = c.answer;
    const Decision d = world.decide(a_pod("p"));
    CHECK(world.port.discarded.empty() != c.discarded);
    if (on_failure == ProcessSpec::OnFailure::kStop) {
      CHECK(d.kind == Decision::Kind::kBroken);
      CHECK(d.message == what);
    } else {
      CHECK(d.kind == Decision::Kind::kPlaced);
      CHECK(d.notes == std::vector<std::string>{what + "; decided without it"});
      CHECK(d.why.scorers.back().name != "Carbon");
    }
  }
}

}  // namespace
}  // namespace coracle::scheduler
