// What a core says about itself, for people, metrics and checkers. A copy; holding it is harmless.
#pragma once

#include <map>
#include <string_view>

#include "raft/messages.hpp"
#include "raft/types.hpp"

namespace coracle::raft {

enum class Role : std::uint8_t { kFollower, kPreCandidate, kCandidate, kLeader };
std::string_view name_of(Role role);
std::string_view name_of(VoteReason reason);
std::string_view name_of(Refusal refusal);

// How the leader feeds one member.
enum class PeerState : std::uint8_t {
  kProbe,      // looking for the last common entry, one append at a time
  kReplicate,  // pipelining
  kSnapshot,   // the member needs what the log no longer has
};
std::string_view name_of(PeerState state);

struct PeerReport {
  PeerState state = PeerState::kProbe;
  Index match;
  Index next;
  std::size_t inflight = 0;
  bool active = false;  // answered since the last quorum check
  bool learner = false;
};

enum class ElectionCause : std::uint8_t { kNone, kTimeout, kTransfer, kAsked, kSoleVoter };
enum class ElectionOutcome : std::uint8_t { kNone, kRunning, kWon, kLost };
std::string_view name_of(ElectionCause cause);
std::string_view name_of(ElectionOutcome outcome);

// The last election this member stood in.
struct ElectionReport {
  Term term;  // the one it asked for
  bool pre = false;
  ElectionCause cause = ElectionCause::kNone;
  ElectionOutcome outcome = ElectionOutcome::kNone;
  std::map<NodeId, VoteReason> votes;  // the answers so far, its own included
};

struct StatusReport {
  NodeId id;
  Role role = Role::kFollower;
  Term term;
  NodeId vote;
  NodeId leader;  // 0 = unknown
  NodeId transfer_to;
  Index first, last, synced, commit, applied;
  Membership membership;               // the latest in the log
  std::map<NodeId, PeerReport> peers;  // leader only
  ElectionReport election;
};

}  // namespace coracle::raft
