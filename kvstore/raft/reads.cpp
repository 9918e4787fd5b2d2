// Linearizable reads without a log entry: the leader notes its commit index and makes sure, with a
// round of heartbeats, that it still led afterwards (Ongaro's thesis, 6.4).
#include "raft/core.hpp"
#include "raft/quorum.hpp"

namespace coracle::raft {

Status Core::read_index(std::uint64_t context) {
  if (role_ != Role::kLeader && leader_ == NodeId{}) return unavailable("no leader");
  const std::size_t pending =
      own_reads_.pending() + (role_ == Role::kLeader ? lead_.reads.pending() : 0);
  if (pending >= config_.pending_reads_max) {
    return {Code::kResourceExhausted, "too many reads are waiting"};
  }
  touched_ = true;
  if (role_ == Role::kLeader) {
    lead_.reads.add({config_.id, context});
    return {};
  }
  auto request = addressed<ReadIndexReq>(leader_);
  request.context = context;
  next_.send_now.push_back(request);
  own_reads_.forward(context, now_ + static_cast<std::uint64_t>(config_.election_ticks));
  return {};
}

void Core::answer_read(const ReadWaiter& waiter, Refusal refusal, Index index) {
  if (waiter.from == config_.id) {
    if (refusal == Refusal::kNone) {
      own_reads_.confirm(waiter.context, index);
    } else {
      next_.reads.push_back({waiter.context, refusal, Index{}});
    }
    return;
  }
  auto reply = addressed<ReadIndexResp>(waiter.from);
  reply.context = waiter.context;
  reply.refusal = refusal;
  reply.index = index;
  next_.send_now.push_back(reply);
}

void Core::maybe_start_read_round() {
  // Before its first commit a new leader does not know how far its predecessors committed.
  if (!committed_in_own_term()) return;
  if (!lead_.reads.any_waiting() || lead_.reads.running()) return;
  lead_.reads.start_round(hard_.commit());
  send_heartbeats();
}

void Core::maybe_confirm_reads() {
  if (!lead_.reads.running()) return;
  std::vector<std::uint64_t> confirmed;
  for (const NodeId voter : membership().voters) {
    const auto peer = lead_.peers.find(voter);
    if (voter == config_.id) {
      confirmed.push_back(lead_.reads.round());
    } else if (peer != lead_.peers.end()) {
      confirmed.push_back(peer->second.read_round);
    }
  }
  const std::uint64_t round = reached_by_majority(std::move(confirmed));
  for (const auto& read : lead_.reads.take_confirmed(round)) {
    answer_read(read.waiter, Refusal::kNone, read.index);
  }
  maybe_start_read_round();  // for those that came in meanwhile
}

Status Core::on(const ReadIndexReq& request) {
  const ReadWaiter waiter{request.from, request.context};
  if (role_ != Role::kLeader) {
    answer_read(waiter, Refusal::kNotLeader, Index{});
  } else if (lead_.reads.pending() >= config_.pending_reads_max) {
    answer_read(waiter, Refusal::kTooMuchInFlight, Index{});
  } else {
    lead_.reads.add(waiter);
  }
  return {};
}

Status Core::on(const ReadIndexResp& reply) {
  if (!own_reads_.take_forwarded(reply.context)) return {};
  answer_read({config_.id, reply.context}, reply.refusal, reply.index);
  return {};
}

}  // namespace coracle::raft
