// New entries, proposed here or at another member.
#include "raft/core.hpp"

namespace coracle::raft {
namespace {

Status status_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::kTooMuchInFlight:
      return {Code::kResourceExhausted, "too much is proposed and not committed"};
    case Refusal::kTransferring:
      return unavailable("leadership is being handed over");
    case Refusal::kChangePending:
      return unavailable("another membership change is under way");
    default:
      return failed_precondition(std::string(name_of(refusal)));
  }
}

}  // namespace

bool Core::committed_in_own_term() const { return hard_.commit() >= lead_.term_start; }

Status Core::check_change(const std::string& data) const {
  ASSIGN_OR_RETURN(const MembershipChange change, decode_change(data));
  return apply(membership(), change).status();
}

// A list of reasons not to take it.
Refusal Core::refusal_for(EntryKind kind, const std::string& data) const {
  if (role_ != Role::kLeader) return Refusal::kNotLeader;
  if (lead_.transfer_to != NodeId{}) return Refusal::kTransferring;
  // One entry of any size is taken when nothing else waits, or it never could be.
  if (lead_.uncommitted_bytes > 0 &&
      lead_.uncommitted_bytes + data.size() > config_.uncommitted_bytes_max) {
    return Refusal::kTooMuchInFlight;
  }
  if (kind == EntryKind::kConfig) {
    // See membership.hpp: the change before must be committed, and something of this term too.
    if (history_.latest_index() > hard_.commit() || !committed_in_own_term()) {
      return Refusal::kChangePending;
    }
    if (!check_change(data).ok()) return Refusal::kInvalidChange;
  }
  return Refusal::kNone;
}

void Core::append_proposal(EntryKind kind, std::string data) {
  if (kind == EntryKind::kConfig) {
    ConfigEntry entry{decode_change(data).value(), {}};
    entry.after = apply(membership(), entry.change).value();
    data = encode(entry);
  }
  append_own(kind, std::move(data));
}

Result<Proposed> Core::propose_or_forward(std::uint64_t request, EntryKind kind, std::string data) {
  touched_ = true;
  if (role_ == Role::kLeader) {
    const Refusal refusal = refusal_for(kind, data);
    if (refusal == Refusal::kInvalidChange) return check_change(data);
    if (refusal != Refusal::kNone) return status_of(refusal);
    append_proposal(kind, std::move(data));
    return Proposed{false, request, log_.last(), hard_.term()};
  }
  if (leader_ == NodeId{}) return unavailable("no leader");
  if (forwarded_.size() >= config_.forwarded_proposals_max) {
    return status_of(Refusal::kTooMuchInFlight);
  }
  auto message = addressed<ProposeReq>(leader_);
  message.request = request;
  message.kind = kind;
  message.data = std::move(data);
  message.attempt =
      forwarded_.add(request, now_ + static_cast<std::uint64_t>(config_.election_ticks));
  next_.send_now.push_back(std::move(message));
  return Proposed{true, request, Index{}, Term{}};
}

Result<Proposed> Core::propose(std::uint64_t request, std::string data) {
  return propose_or_forward(request, EntryKind::kNormal, std::move(data));
}

Result<Proposed> Core::propose_config(std::uint64_t request, const MembershipChange& change) {
  return propose_or_forward(request, EntryKind::kConfig, encode(change));
}

Status Core::on(const ProposeReq& request) {
  if (request.kind == EntryKind::kNoop) return invalid_argument("nobody proposes a no-op");
  auto reply = addressed<ProposeResp>(request.from);
  reply.request = request.request;
  reply.attempt = request.attempt;
  reply.refusal = refusal_for(request.kind, request.data);
  if (reply.refusal == Refusal::kNone) {
    append_proposal(request.kind, request.data);
    reply.at_index = log_.last();
    reply.at_term = hard_.term();
  }
  next_.send_now.push_back(reply);
  return {};
}

Status Core::on(const ProposeResp& reply) {
  if (!forwarded_.take(reply.request, reply.attempt)) return {};
  next_.proposals.push_back({reply.request, reply.refusal, reply.at_index, reply.at_term});
  return {};
}

void Core::expire_forwarded() {
  for (const ReadGrant& g : own_reads_.take_expired(now_)) next_.reads.push_back(g);
  for (const std::uint64_t request : forwarded_.take_expired(now_)) {
    next_.proposals.push_back({request, Refusal::kNoAnswer, Index{}, Term{}});
  }
}

}  // namespace coracle::raft
