#include "cache/cache.hpp"

#include <catch2/catch.hpp>

#include "cache/checker.hpp"
#include "framework/testing.hpp"

namespace coracle::scheduler {
namespace {

using testing::a_node;
using testing::a_pod;
using Lines = std::vector<std::string>;

TEST_CASE("a pod counts from assume to forget, or to its end") {
  Cache cache;
  cache.set_node(parse_node(a_node("n1").object()));
  const PodPtr pod = a_pod("p").cpu("1").info();
  cache.assume(*pod, "n1");
  CHECK(cache.is_assumed("default/p"));
  CHECK(cache.find_node("n1")->used().cpu_milli == 1000);
  cache.forget("default/p", pod->uid);
  CHECK(cache.find_node("n1")->used().cpu_milli == 0);
  cache.assume(*pod, "n1");
  CHECK(cache.set_pod(a_pod("p").cpu("1").on("n1").info()) == 0);  // confirmed: nothing new
  cache.forget("default/p", pod->uid);                             // too late: it is placed
  CHECK(cache.find_node("n1")->used().cpu_milli == 1000);
  CHECK(SchedulerCacheChecker::violations(cache) == Lines{});
  CHECK(cache.remove_pod("default/p"));
  CHECK(cache.find_node("n1")->pods().empty());
  CHECK(SchedulerCacheChecker::violations(cache) == Lines{});
}

TEST_CASE("pods of an unknown node are kept until the node comes") {
  Cache cache;
  cache.set_pod(a_pod("p").cpu("1").on("n1").info());
  CHECK(cache.snapshot().nodes.empty());
  CHECK(SchedulerCacheChecker::violations(cache) == Lines{});
  CHECK(cache.set_node(parse_node(a_node("n1").object())) == event::kNodeAdded);
  CHECK(cache.find_node("n1")->used().cpu_milli == 1000);
  cache.remove_node("n1");
  CHECK(cache.pods() == 1);
  CHECK(SchedulerCacheChecker::violations(cache) == Lines{});
}

TEST_CASE("an update of a placed pod says what may help") {
  const auto base = [] { return a_pod("p").cpu("2").label("app", "web").on("n1"); };
  const auto after = [&](const a_pod& update) {
    Cache cache;
    cache.set_pod(base().info());
    return cache.set_pod(update.info());
  };
  CHECK(after(base()) == 0);
  CHECK(after(base().cpu("1")) == event::kPodGone);
  CHECK(after(base().label("app", "db")) == event::kPodLabels);
  CHECK(after(base().set("metadata.deletionTimestamp", R"("2026-01-01T00:00:00Z")")) ==
        event::kPodLeaving);
}

TEST_CASE("an update of a node says what may help") {
  Cache cache;
  cache.set_node(parse_node(a_node("n1").object()));
  CHECK(cache.set_node(parse_node(a_node("n1").object())) == 0);
  CHECK(cache.set_node(parse_node(a_node("n1").has("cpu", "8").object())) == event::kNodeGrew);
  CHECK(cache.set_node(parse_node(a_node("n1").has("cpu", "8").label("a", "b").object())) ==
        event::kNodeLabels);
}

TEST_CASE("claims count from placed to gone, reservations while assumed") {
  Cache cache;
  cache.set_node(parse_node(a_node("n1").object()));
  const auto pod = a_pod("p").claim("c");
  const PodPtr info = pod.info();
  const auto taken = [&] { return cache.snapshot().reservations.is_taken("default/c", "another"); };
  const auto assume = [&] {
    cache.assume(*info, "n1");
    cache.surroundings().reservations.take("default/c", info->uid);
    CHECK(cache.snapshot().claim_pods.empty());
    CHECK(SchedulerCacheChecker::violations(cache) == Lines{});
  };
  assume();
  cache.forget("default/p", info->uid);
  CHECK_FALSE(taken());
  assume();
  CHECK(taken());
  cache.set_pod(a_pod(pod).on("n1").info());
  CHECK_FALSE(taken());
  CHECK(cache.snapshot().claim_pods == std::map<std::string, int>{{"default/c", 1}});
  cache.remove_node("n1");  // the pod may still run there
  CHECK(cache.snapshot().claim_pods.size() == 1);
  CHECK(SchedulerCacheChecker::violations(cache) == Lines{});
  cache.remove_pod("default/p");
  CHECK(cache.snapshot().claim_pods.empty());
  CHECK(SchedulerCacheChecker::violations(cache) == Lines{});
}

}  // namespace
}  // namespace coracle::scheduler
