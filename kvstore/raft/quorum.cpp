#include "raft/quorum.hpp"

#include <algorithm>
#include <functional>

namespace coracle::raft {

std::uint64_t reached_by_majority(std::vector<std::uint64_t> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end(), std::greater<>());
  return values[majority(values.size()) - 1];
}

VoteResult tally(const std::set<NodeId>& voters, const std::map<NodeId, bool>& votes) {
  std::size_t yes = 0;
  std::size_t no = 0;
  for (const NodeId voter : voters) {
    const auto vote = votes.find(voter);
    if (vote != votes.end()) ++(vote->second ? yes : no);
  }
  const std::size_t needed = majority(voters.size());
  if (!voters.empty() && yes >= needed) return VoteResult::kWon;
  if (voters.size() - no < needed || voters.empty()) return VoteResult::kLost;
  return VoteResult::kPending;
}

}  // namespace coracle::raft
