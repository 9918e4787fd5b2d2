// The nouns of the Raft core: entries, what must survive a crash, and membership by id.
// Plain values; no behaviour but what keeps them consistent.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/ids.hpp"

namespace coracle::raft {

enum class EntryKind : std::uint8_t {
  kNormal = 0,  // data is the state machine's
  kConfig = 1,  // data is an encoded MembershipChange (membership.hpp)
  kNoop = 2,    // empty; a new leader's first entry. The state machine skips it.
};

struct Entry {
  Term term;
  Index index;
  EntryKind kind = EntryKind::kNormal;
  std::string data;

  friend bool operator==(const Entry&, const Entry&) = default;
};

// What an entry counts against byte limits: its data and a fixed share for the rest.
inline constexpr std::size_t kEntryOverheadBytes = 32;
inline std::size_t cost_bytes(const Entry& e) { return e.data.size() + kEntryOverheadBytes; }

// Who takes part. A voter counts in quorums; a learner only receives. The two sets are disjoint.
struct Membership {
  std::set<NodeId> voters;
  std::set<NodeId> learners;

  bool is_voter(NodeId id) const { return voters.contains(id); }
  bool is_learner(NodeId id) const { return learners.contains(id); }
  bool contains(NodeId id) const { return is_voter(id) || is_learner(id); }
  friend bool operator==(const Membership&, const Membership&) = default;
};

// The state after applying every entry up to `index`, named; the bytes are the driver's.
struct SnapshotMeta {
  Index index;
  Term term;
  Membership membership;

  friend bool operator==(const SnapshotMeta&, const SnapshotMeta&) = default;
};

// What a member must remember besides its log.
// Invariant: the term never falls; the vote changes only with the term, or from nobody to somebody;
//            the commit index never falls. Breaking one is a CHECK.
// A change of term or vote must be synced before anything that depends on it leaves; the commit
// index is a hint that spares work after a restart and needs no sync of its own.
class HardState {
 public:
  HardState() = default;
  HardState(Term term, NodeId vote, Index commit) : term_(term), vote_(vote), commit_(commit) {}

  Term term() const { return term_; }
  NodeId vote() const { return vote_; }  // NodeId{0} = nobody in this term
  Index commit() const { return commit_; }

  // The only ways to change it; both mark the next Ready.
  void advance(Term term, NodeId vote);
  void commit_to(Index commit);

  bool changed() const { return vote_changed_ || commit_changed_; }
  bool must_sync() const { return vote_changed_; }
  void clear_marks() { vote_changed_ = commit_changed_ = false; }

  friend bool operator==(const HardState& a, const HardState& b) {
    return a.term_ == b.term_ && a.vote_ == b.vote_ && a.commit_ == b.commit_;
  }

 private:
  Term term_;
  NodeId vote_;
  Index commit_;
  bool vote_changed_ = false;
  bool commit_changed_ = false;
};

}  // namespace coracle::raft
