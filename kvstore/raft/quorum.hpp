// Quorum arithmetic. Pure; knows neither logs nor time.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "base/ids.hpp"

namespace coracle::raft {

// The smallest number of `members` that any two such groups share a member. 0 for none.
constexpr std::size_t majority(std::size_t members) { return members == 0 ? 0 : members / 2 + 1; }

// The largest value that a majority has reached; 0 for no members.
std::uint64_t reached_by_majority(std::vector<std::uint64_t> values);

enum class VoteResult { kPending, kWon, kLost };

// Whether the votes cast (true = yes) decide an election among `voters`. Votes of others are
// ignored. An election without voters is lost: nobody may lead it.
VoteResult tally(const std::set<NodeId>& voters, const std::map<NodeId, bool>& votes);

}  // namespace coracle::raft
