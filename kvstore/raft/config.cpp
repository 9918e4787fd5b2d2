#include "raft/config.hpp"

#include <string>

namespace coracle::raft {

Status validate(const Config& config) {
  if (config.id == NodeId{}) return invalid_argument("id must not be 0");
  if (config.heartbeat_ticks < 1) return invalid_argument("heartbeat_ticks must be at least 1");
  if (config.election_ticks <= config.heartbeat_ticks) {
    return invalid_argument("election_ticks must be more than heartbeat_ticks");
  }
  if (config.inflight_max < 1) return invalid_argument("inflight_max must be at least 1");
  for (const NodeId id : config.membership.learners) {
    if (config.membership.is_voter(id)) {
      return invalid_argument("membership: a learner is also a voter: " + std::to_string(id.value));
    }
  }
  return {};
}

}  // namespace coracle::raft
