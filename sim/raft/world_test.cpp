#include "raft_sim/world.hpp"

#include <catch2/catch.hpp>

using namespace coracle::raft_sim;

namespace {

std::string traced(std::uint64_t seed) {
  std::string out;
  World world(seed, [&](const std::string& line) { out += line + "\n"; });
  const Outcome outcome = world.run();
  REQUIRE(outcome.failure.empty());
  return out;
}

}  // namespace

TEST_CASE("simulation: the same seed gives the same bytes") {
  for (const std::uint64_t seed : {1, 7, 42}) {
    CAPTURE(seed);
    const std::string first = traced(seed);
    REQUIRE(first.size() > 10'000);
    REQUIRE((first == traced(seed)));
  }
}

TEST_CASE("simulation: another seed gives another run") { REQUIRE((traced(1) != traced(2))); }
