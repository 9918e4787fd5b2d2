#include "raft/quorum.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "base/rng.hpp"

using namespace coracle;
using namespace coracle::raft;

TEST_CASE("quorum: the majority agrees with counting one by one") {
  Rng rng(7);
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::uint64_t> values(rng.below(8));
    for (auto& v : values) v = rng.below(6);
    std::uint64_t naive = 0;
    for (std::uint64_t candidate = 0; candidate < 6; ++candidate) {
      const auto holders = std::count_if(values.begin(), values.end(),
                                         [&](std::uint64_t v) { return v >= candidate; });
      if (2 * static_cast<std::size_t>(holders) > values.size()) naive = candidate;
    }
    CAPTURE(round);
    REQUIRE(reached_by_majority(values) == naive);
  }
}

TEST_CASE("quorum: votes") {
  struct Case {
    const char* name;
    std::set<NodeId> voters;
    std::map<NodeId, bool> votes;
    VoteResult expected;
  };
  const NodeId a{1}, b{2}, c{3}, stranger{9};
  const auto test = GENERATE_COPY(values<Case>({
      {"nobody votes", {a, b, c}, {}, VoteResult::kPending},
      {"one of three", {a, b, c}, {{a, true}}, VoteResult::kPending},
      {"two of three", {a, b, c}, {{a, true}, {b, true}}, VoteResult::kWon},
      {"two refuse", {a, b, c}, {{a, true}, {b, false}, {c, false}}, VoteResult::kLost},
      {"half of two", {a, b}, {{a, true}}, VoteResult::kPending},
      {"half of two refuses", {a, b}, {{a, true}, {b, false}}, VoteResult::kLost},
      {"strangers do not count", {a, b, c}, {{a, true}, {stranger, true}}, VoteResult::kPending},
      {"no voters", {}, {{a, true}}, VoteResult::kLost},
  }));
  CAPTURE(test.name);
  REQUIRE((tally(test.voters, test.votes) == test.expected));
}
