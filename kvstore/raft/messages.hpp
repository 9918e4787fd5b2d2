// What members say to each other. One struct a message, no optional fields whose meaning depends on
// a type; the transport encodes each alternative as its own case.
//
// `term` is the sender's current term, except for a pre-vote request and a granted pre-vote, which
// carry the term the sender would like to open. Messages may be lost, repeated and reordered
// freely.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "raft/types.hpp"

namespace coracle::raft {

struct Header {
  NodeId from;
  NodeId to;
  Term term;

  friend bool operator==(const Header&, const Header&) = default;
};

enum class VoteReason : std::uint8_t {
  kGranted = 0,
  kStaleTerm = 1,     // the voter is in a later term
  kAlreadyVoted = 2,  // for another, in this term
  kLogBehind = 3,     // the candidate lacks entries the voter has
  kHasLeader = 4,     // the voter heard from a leader lately (stickiness)
};

struct VoteReq : Header {
  bool pre = false;       // only asking; nobody's term changes
  bool transfer = false;  // the leader asked for this election: stickiness does not apply
  Index last_index;
  Term last_term;
  friend bool operator==(const VoteReq&, const VoteReq&) = default;
};

struct VoteResp : Header {
  bool pre = false;
  VoteReason reason = VoteReason::kGranted;
  friend bool operator==(const VoteResp&, const VoteResp&) = default;
};

struct AppendReq : Header {
  Index prev_index;
  Term prev_term;
  Index commit;
  std::vector<Entry> entries;  // prev_index + 1 onwards, consecutive; may be empty
  friend bool operator==(const AppendReq&, const AppendReq&) = default;
};

struct AppendResp : Header {
  bool accepted = false;
  Index index;  // accepted: the log matches the leader's up to here; else the refused prev_index
  Index hint_index;  // refused: the leader should look at or before this index ...
  Term hint_term;    // ... whose entry at the follower has this term
  friend bool operator==(const AppendResp&, const AppendResp&) = default;
};

struct HeartbeatReq : Header {
  Index commit;             // never beyond what the receiver is known to hold
  std::uint64_t round = 0;  // names a read round; answered with the same number
  friend bool operator==(const HeartbeatReq&, const HeartbeatReq&) = default;
};

struct HeartbeatResp : Header {
  std::uint64_t round = 0;
  friend bool operator==(const HeartbeatResp&, const HeartbeatResp&) = default;
};

// Leaves the core as an order to the driver: stream the state's bytes to `to`, and hand this
// message to the receiver's core when all of them are there and verified. The driver may replace
// `meta` by the one of a later state. The receiver answers with an AppendResp.
struct InstallSnapshot : Header {
  SnapshotMeta meta;
  friend bool operator==(const InstallSnapshot&, const InstallSnapshot&) = default;
};

// A proposal made at a member that does not lead. `request` is the proposer's number, `attempt`
// tells this message from earlier ones for the same request: an answer may come late or twice, and
// one that refused an earlier attempt says nothing of this.
struct ProposeReq : Header {
  std::uint64_t request = 0;
  EntryKind kind = EntryKind::kNormal;  // kNormal or kConfig
  std::string data;
  std::uint64_t attempt = 0;
  friend bool operator==(const ProposeReq&, const ProposeReq&) = default;
};

enum class Refusal : std::uint8_t {
  kNone = 0,
  kNotLeader = 1,
  kTransferring = 2,     // leadership is being handed over
  kTooMuchInFlight = 3,  // uncommitted bytes or pending reads are at their bound
  kChangePending = 4,    // one membership change at a time
  kInvalidChange = 5,    // the change does not fit the membership
  kLostLeadership = 6,   // the leader stepped down before it could confirm
  kNoAnswer = 7,         // forwarded, and nothing came back within an election timeout
};

struct ProposeResp : Header {
  std::uint64_t request = 0;
  Refusal refusal = Refusal::kNone;
  Index at_index;  // when accepted: where the entry is, if it is committed with at_term
  Term at_term;
  std::uint64_t attempt = 0;
  friend bool operator==(const ProposeResp&, const ProposeResp&) = default;
};

struct ReadIndexReq : Header {
  std::uint64_t context = 0;
  friend bool operator==(const ReadIndexReq&, const ReadIndexReq&) = default;
};

struct ReadIndexResp : Header {
  std::uint64_t context = 0;
  Refusal refusal = Refusal::kNone;
  Index index;  // when not refused: serve once this index is applied
  friend bool operator==(const ReadIndexResp&, const ReadIndexResp&) = default;
};

// The leader to the member that shall lead next: campaign at once.
struct TimeoutNow : Header {
  friend bool operator==(const TimeoutNow&, const TimeoutNow&) = default;
};

using Message =
    std::variant<VoteReq, VoteResp, AppendReq, AppendResp, HeartbeatReq, HeartbeatResp,
                 InstallSnapshot, ProposeReq, ProposeResp, ReadIndexReq, ReadIndexResp, TimeoutNow>;

inline const Header& header_of(const Message& m) {
  return std::visit([](const auto& x) -> const Header& { return x; }, m);
}

}  // namespace coracle::raft
