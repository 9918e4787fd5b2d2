// Ready: everything the core wants done, in the order it may be done.
//
// The driver, for each Ready:
//  1. install:   makes the staged snapshot the state machine, durably, and empties the log after
//  it;
//  2. to_append: puts the entries into the LogView (cutting a conflicting tail) before it calls the
//                core again;
//  3. send_now:  sends, in any order; these promise nothing durable;
//  4. writes hard_state and to_append, in one write; syncs if must_sync;
//  5. calls on_synced(number), then sends send_after_sync: votes and acknowledgements that would be
//     lies before the sync. One sync may cover several Readies, reported by the last one's number;
//  6. to_apply:  applies, then on_applied(last index). No more comes until then;
//  7. reads, proposals: answers the callers.
// 6 and 7 need not wait for 4 and 5: what is in to_apply is already durable here.
#pragma once

#include <optional>
#include <vector>

#include "raft/messages.hpp"
#include "raft/types.hpp"

namespace coracle::raft {

// The outcome of read_index(context): refused, or the state machine as it is now is fresh enough.
struct ReadGrant {
  std::uint64_t context = 0;
  Refusal refusal = Refusal::kNone;
  Index index;  // already applied

  friend bool operator==(const ReadGrant&, const ReadGrant&) = default;
};

// The leader's answer to a forwarded proposal. Accepted is not committed: it is when an entry with
// (index, term) is applied, and it is lost when another term's entry is applied at that index.
struct ProposalOutcome {
  std::uint64_t request = 0;
  Refusal refusal = Refusal::kNone;  // kNoAnswer: unknown, it may still be committed
  Index index;
  Term term;

  friend bool operator==(const ProposalOutcome&, const ProposalOutcome&) = default;
};

struct Ready {
  std::uint64_t number = 0;  // ascending; the argument of on_synced
  bool must_sync = false;
  std::optional<SnapshotMeta> install;
  std::optional<HardState> hard_state;
  std::vector<Entry> to_append;
  std::vector<Message> send_now;
  std::vector<Message> send_after_sync;
  std::vector<Entry> to_apply;  // committed and durable here, ascending, each exactly once
  std::vector<ReadGrant> reads;
  std::vector<ProposalOutcome> proposals;

  bool empty() const {
    return !install && !hard_state && to_append.empty() && send_now.empty() &&
           send_after_sync.empty() && to_apply.empty() && reads.empty() && proposals.empty();
  }
};

}  // namespace coracle::raft
