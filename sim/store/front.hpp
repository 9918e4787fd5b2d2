// Front: what the gRPC services do with a request, for clients of the simulated world: checks it,
// takes it to the log or waits for a proof of leadership, and turns what comes out into an answer
// of a history. Runs on the member's strand.
#pragma once

#include <functional>
#include <optional>

#include "linearize/history.hpp"
#include "member/member.hpp"

namespace coracle::store_sim {

struct Reply {
  // Nothing: the client cannot know whether it happened.
  std::optional<linearize::Answer> answer;
  bool no_space = false;  // it was told that there is no space, so that nothing happened
};
using Replied = std::function<void(Reply)>;

// `proposal` has member and request set.
void propose(store::Member& member, const store::Proposal& proposal, bool is_revoke, Replied done);
void range(store::Member& member, const mvcc::RangeRequest& request, Replied done);
void read_txn(store::Member& member, const mvcc::TxnRequest& request, Replied done);
// Seconds left after the renewal; 0: no such lease; nothing: not known.
void keep_alive(store::Member& member, LeaseId lease,
                std::function<void(std::optional<std::int64_t>)> done);

// The linearizability checker's request for what a proposal asks.
linearize::Request request_of(const store::Proposal& proposal);

}  // namespace coracle::store_sim
