#include "driver/permits.hpp"

#include <catch2/catch.hpp>

#include "base/manual_executor.hpp"
#include "framework/testing.hpp"

namespace coracle::scheduler {
namespace {

using namespace std::chrono_literals;
using testing::a_node;
using testing::a_pod;
using testing::a_world;

// Lets pods go when so many of them are on nodes.
class Together final : public Plugin {
 public:
  explicit Together(size_t count) : count_(count) {}
  std::string_view name() const override { return "Together"; }
  Permission permit(const PodInfo&, const std::string&, const Snapshot& world) const override {
    if (world.nodes[0].pods().size() >= count_) return {};
    return {Verdict::not_now("too few"), 30s};
  }

 private:
  const size_t count_;
};

class Refusing final : public Plugin {
 public:
  std::string_view name() const override { return "Refusing"; }
  Permission permit(const PodInfo&, const std::string&, const Snapshot&) const override {
    return {Verdict::not_now("no"), Duration(0)};
  }
};

struct World {
  World() {
    profile.plugins = {std::make_shared<Together>(2), std::make_shared<Refusing>()};
    profile.at(Point::kPermit) = {profile.plugins[0].get()};
  }
  ManualExecutor executor;
  Snapshot snapshot = a_world({a_node("n")});
  Profile profile;
  std::vector<std::pair<std::string, Permits::Outcome>> done;
  Permits permits{executor, snapshot,
                  [this](const PodPtr& pod, const std::string&, const Permits::Outcome& outcome) {
                    done.emplace_back(pod->name, outcome);
                  }};
};

TEST_CASE("a pod waits until the plugin lets it go") {
  World world;
  Permits::Outcome outcome;
  const PodPtr pod = a_pod("p").info();
  CHECK_FALSE(world.permits.begin(world.profile, pod, "n", &outcome));
  world.permits.look_again();
  CHECK(world.done.empty());
  for (const char* name : {"p", "q"}) world.snapshot.add_pod(0, a_pod(name).info());
  world.permits.look_again();
  REQUIRE(world.done.size() == 1);
  CHECK(world.done[0].second.verdict.is_yes());
  CHECK(world.permits.waiting() == 0);
  CHECK(world.permits.begin(world.profile, pod, "n", &outcome));
  CHECK(outcome.verdict.is_yes());
}

TEST_CASE("a pod does not wait for ever") {
  World world;
  Permits::Outcome outcome;
  CHECK_FALSE(world.permits.begin(world.profile, a_pod("p").info(), "n", &outcome));
  world.executor.advance(30s - 1ms);
  CHECK(world.done.empty());
  world.executor.advance(1ms);
  REQUIRE(world.done.size() == 1);
  CHECK(world.done[0].second.verdict ==
        Verdict::not_now("rejected due to timeout after waiting 30s at plugin Together"));
  CHECK(world.done[0].second.by == world.profile.plugins[0].get());
}

TEST_CASE("a no ends it, and so does who takes its place") {
  World world;
  Permits::Outcome outcome;
  CHECK_FALSE(world.permits.begin(world.profile, a_pod("p").info(), "n", &outcome));
  CHECK(world.permits.reject("default/p", "preempted"));
  CHECK_FALSE(world.permits.reject("default/p", "preempted"));
  REQUIRE(world.done.size() == 1);
  CHECK(world.done[0].second.verdict == Verdict::not_now("preempted"));
  world.profile.at(Point::kPermit).push_back(world.profile.plugins[1].get());
  CHECK(world.permits.begin(world.profile, a_pod("q").info(), "n", &outcome));
  CHECK(outcome.verdict == Verdict::not_now("no"));
}

}  // namespace
}  // namespace coracle::scheduler
