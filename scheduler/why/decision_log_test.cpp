#include "why/decision_log.hpp"

#include <catch2/catch.hpp>

#include "framework/testing.hpp"

namespace coracle::scheduler {
namespace {

Decision about(const char* pod, const char* node, size_t bytes = 0) {
  Decision decision;
  decision.pod = testing::a_pod(pod).info();
  decision.node = node;
  decision.message.assign(bytes, 'x');
  return decision;
}

TEST_CASE("the newest decision of each pod is kept") {
  DecisionLog log;
  log.add(about("p", "a"), WallTime());
  log.add(about("q", "b"), WallTime());
  log.add(about("p", "c"), WallTime());
  CHECK(log.size() == 2);
  CHECK(log.find("default/p")->decision.node == "c");
  CHECK(log.find("default/p")->number == 3);
  CHECK(log.find("default/r") == nullptr);
}

TEST_CASE("the oldest go when there is no room") {
  DecisionLog log(100'000);
  for (const char* pod : {"a", "b", "c"}) log.add(about(pod, "n", 40'000), WallTime());
  CHECK(log.size() == 2);
  CHECK(log.find("default/a") == nullptr);
  CHECK(log.bytes() <= 100'000);
  log.add(about("big", "n", 200'000), WallTime());
  CHECK(log.size() == 1);
  CHECK(log.find("default/big") != nullptr);
}

}  // namespace
}  // namespace coracle::scheduler
