// Gangs through the driver: all of a group are bound, or none is.
#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "driver/testing.hpp"

namespace coracle::scheduler {
namespace {

using namespace std::chrono_literals;
using testing::a_node;
using testing::a_pod;
using testing::kGroups;
using testing::World;

a_pod member(const std::string& name, const std::string& group) {
  a_pod pod(name);
  pod.cpu("1").set("spec.schedulingGroup.podGroupName", json::value(group));
  return pod;
}

json::value a_group(const std::string& name, int min_count) {
  json::value group = testing::parsed(R"({"kind":"PodGroup","metadata":{"namespace":"default"}})");
  set_path(group, "metadata.name", json::value(name));
  set_path(group, "metadata.uid", json::value("uid-" + name));
  make_object(group, "spec.schedulingPolicy.gang")["minCount"] = min_count;
  return group;
}

struct Gangs : World {
  explicit Gangs(const std::vector<a_node>& nodes) : World(nodes, {}) {
    send(kGroups, "BOOKMARK", end());
  }
  void group(const std::string& name, int min_count) {
    send(kGroups, "ADDED", a_group(name, min_count));
  }
  void pod(const a_pod& pod) { send("/api/v1/pods?", "ADDED", pod.object()); }
  // Names of the pods that were bound; each bind succeeds.
  std::set<std::string> bound() {
    std::set<std::string> names;
    for (const auto& [call, answered] : take_calls()) {
      const std::string end = "/binding";
      if (!call.ends_with(end)) continue;
      const std::string path = call.substr(0, call.size() - end.size());
      names.insert(path.substr(path.rfind('/') + 1));
    }
    return names;
  }
  size_t assumed() const { return scheduler.cache().assumed(); }
  // Found no node, or gave it back.
  size_t put_off() const {
    const auto sizes = scheduler.queue().sizes();
    return sizes.parked + sizes.backoff;
  }
};

using Names = std::set<std::string>;

TEST_CASE("a gang's pods stay out of the queue until enough of them exist") {
  Gangs world({a_node("n").has("cpu", "9")});
  world.pod(member("a1", "a"));
  world.pod(member("a2", "a"));
  CHECK(world.bound().empty());
  CHECK(world.scheduler.queue().sizes().gated == 2);  // there is no such group
  world.group("a", 3);
  CHECK(world.bound().empty());
  CHECK(world.scheduler.queue().sizes().gated == 2);  // there are too few of them
  world.pod(member("a3", "a"));
  CHECK(world.bound() == Names{"a1", "a2", "a3"});
  world.pod(member("a4", "a"));  // the quorum stands
  CHECK(world.bound() == Names{"a4"});
}

TEST_CASE("without a gang policy the pods of a group go one by one") {
  Gangs world({a_node("n")});
  json::value group = a_group("a", 3);
  set_path(group, "spec.schedulingPolicy", testing::parsed(R"({"basic":{}})"));
  world.send(kGroups, "ADDED", group);
  world.pod(member("a1", "a"));
  CHECK(world.bound() == Names{"a1"});
}

TEST_CASE("when one of a gang finds no node, the others give theirs back") {
  Gangs world({a_node("n").has("cpu", "2")});
  world.group("a", 3);
  for (const char* name : {"a1", "a2", "a3"}) world.pod(member(name, "a"));
  CHECK(world.bound().empty());
  CHECK(world.assumed() == 0);
  CHECK(world.put_off() == 3);
  SECTION("a node that comes is for all of them") {
    world.send("/api/v1/nodes?", "ADDED", a_node("m").object());
    world.executor.advance(10s);  // the longest back-off
    CHECK(world.bound() == Names{"a1", "a2", "a3"});
  }
  SECTION("a pod outside of the gang takes the room") {
    world.pod(a_pod("x").cpu("2"));
    CHECK(world.bound() == Names{"x"});
  }
}

TEST_CASE("two gangs that hold half of the room each: one gives way, the other runs") {
  Gangs world({});
  world.group("a", 3);
  world.group("b", 3);
  for (const char* name : {"a1", "b1", "a2", "b2", "a3", "b3"}) {
    world.pod(member(name, std::string(name, 1)));
  }
  CHECK(world.bound().empty());
  CHECK(world.put_off() == 6);  // there is no node
  world.executor.advance(10s);
  world.send("/api/v1/nodes?", "ADDED", a_node("n").has("cpu", "4").object());
  // a1 b1 a2 b2 fill the node; a3 finds none, and b3 finds what a1 and a2 give back.
  CHECK(world.bound() == Names{"b1", "b2", "b3"});
  CHECK(world.put_off() == 3);
  for (int i = 0; i < 60; ++i) {
    world.executor.advance(1s);
    CHECK(world.bound().empty());
    CHECK(world.assumed() == 3);  // the informer has not shown them yet
  }
}

TEST_CASE("a gang that waits too long gives its nodes back, all of them") {
  Gangs world({a_node("n").has("cpu", "4")});
  world.group("a", 3);
  for (const char* name : {"a1", "a2"}) world.pod(member(name, "a"));
  a_pod gated = member("a3", "a");
  world.pod(gated.set("spec.schedulingGates", R"([{"name":"later"}])"));
  CHECK(world.bound().empty());
  CHECK(world.assumed() == 2);
  world.executor.advance(5min - 1ms);
  CHECK(world.assumed() == 2);
  world.executor.advance(1ms);
  CHECK(world.assumed() == 0);
  CHECK(world.bound().empty());
  CHECK(world.put_off() == 2);
}

// Pods of one CPU that the others may replace, on a node that they fill.
std::vector<a_pod> fillers(const std::string& node, int count) {
  std::vector<a_pod> pods;
  for (int i = 0; i < count; ++i) {
    pods.push_back(a_pod(node + "-" + std::to_string(i)).cpu("1").on(node));
  }
  return pods;
}
// Names of the pods that were made leave.
Names made_leave(Gangs& world) {
  Names names;
  for (const auto& [call, answered] : world.take_calls()) {
    CHECK_FALSE(call.ends_with("/binding"));
    if (call.starts_with("DELETE ")) names.insert(call.substr(call.rfind('/') + 1));
  }
  return names;
}

TEST_CASE("pods leave for a gang only if all of it can run then") {
  struct Case {
    const char* name;
    int room, replaceable, pods, min_count;
    size_t leave;
  };
  for (const Case& c : std::vector<Case>{{"all must be made room for", 0, 3, 3, 3, 3},
                                         {"some find room", 2, 2, 4, 4, 2},
                                         {"one has room, too few can leave", 1, 1, 3, 3, 0},
                                         {"nobody could leave for all", 0, 2, 3, 3, 0},
                                         {"more pods than it needs", 0, 2, 3, 2, 2}}) {
    CAPTURE(c.name);
    Gangs world({a_node("n").has("cpu", std::to_string(c.room + c.replaceable + 1))});
    world.pod(a_pod("important").cpu("1").priority(9).on("n"));
    for (const a_pod& pod : fillers("n", c.replaceable)) world.pod(pod);
    world.group("a", c.min_count);
    for (int i = 0; i < c.pods; ++i) {
      world.pod(member("a" + std::to_string(i), "a").priority(5));
    }
    const Names victims = made_leave(world);
    CHECK(victims.size() == c.leave);
    CHECK_FALSE(victims.contains("important"));
    if (c.leave == 0) {
      CHECK(world.assumed() == 0);
      CHECK(world.scheduler.cache().snapshot().nominations.empty());
      const auto& newest = world.scheduler.decisions().all();
      CHECK(std::ranges::any_of(newest, [](const auto& kept) {
        return kept->decision.message.ends_with(
            "preemption: not enough pods could leave for minCount of the pod group.");
      }));
      continue;
    }
    // What waits for the victims is there for the gang, whoever asks for it meanwhile.
    world.pod(a_pod("x").cpu("1"));
    CHECK(made_leave(world).empty());
    for (const std::string& name : victims) {
      world.send("/api/v1/pods?", "DELETED", a_pod(name).cpu("1").on("n").object());
    }
    world.executor.advance(10s);
    Names all;
    for (int i = 0; i < c.min_count; ++i) all.insert("a" + std::to_string(i));
    CHECK(world.bound() == all);
  }
}

TEST_CASE("a group that asks for less lets its pods go") {
  Gangs world({a_node("n")});
  world.group("a", 3);
  for (const char* name : {"a1", "a2"}) world.pod(member(name, "a"));
  CHECK(world.bound().empty());
  CHECK(world.scheduler.queue().sizes().gated == 2);
  world.send(kGroups, "MODIFIED", a_group("a", 2));
  CHECK(world.bound() == Names{"a1", "a2"});
}

}  // namespace
}  // namespace coracle::scheduler
