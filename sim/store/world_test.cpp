#include "store_sim/world.hpp"

#include <catch2/catch.hpp>

#include "base/log.hpp"

using namespace coracle::store_sim;

namespace {

std::string traced(std::uint64_t seed) {
  coracle::log::init("store_sim_test", coracle::log::Level::kError);
  std::string out;
  World world(seed, [&](const std::string& line) { out += line + "\n"; });
  const Outcome outcome = world.run();
  REQUIRE(outcome.failure == "");
  return out;
}

}  // namespace

TEST_CASE("store simulation: the same seed gives the same bytes") {
  for (const std::uint64_t seed : {1, 7}) {
    CAPTURE(seed);
    const std::string first = traced(seed);
    REQUIRE(first.size() > 10'000);
    REQUIRE((first == traced(seed)));
  }
}

TEST_CASE("store simulation: another seed gives another run") { REQUIRE((traced(1) != traced(2))); }
