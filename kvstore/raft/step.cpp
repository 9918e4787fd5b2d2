// The gate for messages: what is malformed, and what a message's term means before its content
// does.
#include "raft/core.hpp"

namespace coracle::raft {
namespace {

Status check_body(const AppendReq& m) {
  Index expected = m.prev_index.next();
  Term term = m.prev_term;
  for (const Entry& e : m.entries) {
    if (e.index != expected) return invalid_argument("append: entries are not consecutive");
    if (e.term < term || e.term > m.term) return invalid_argument("append: terms do not ascend");
    if (e.kind == EntryKind::kConfig) RETURN_IF_ERROR(decode_config_entry(e.data).status());
    expected = expected.next();
    term = e.term;
  }
  return {};
}

Status check_body(const InstallSnapshot& m) {
  if (m.meta.index == Index{} || m.meta.term > m.term) {
    return invalid_argument("snapshot: impossible index or term");
  }
  if (m.meta.membership.voters.empty()) return invalid_argument("snapshot: no voters");
  return {};
}

template <class M>
Status check_body(const M&) {
  return {};
}

// Whether the sender leads in its term.
template <class M>
constexpr bool kFromLeader = std::is_same_v<M, AppendReq> || std::is_same_v<M, HeartbeatReq> ||
                             std::is_same_v<M, InstallSnapshot>;

bool from_leader(const Message& message) {
  return std::visit([](const auto& m) { return kFromLeader<std::decay_t<decltype(m)>>; }, message);
}

// Requests and answers between a member and the leader it believes in stay true when a term passes.
bool outlives_its_term(const Message& message) {
  if (const auto* reply = std::get_if<VoteResp>(&message)) {
    return reply->pre && reply->reason != VoteReason::kGranted;
  }
  return std::holds_alternative<VoteReq>(message) || std::holds_alternative<ProposeReq>(message) ||
         std::holds_alternative<ProposeResp>(message) ||
         std::holds_alternative<ReadIndexReq>(message) ||
         std::holds_alternative<ReadIndexResp>(message);
}

}  // namespace

Status Core::check_message(const Message& message) const {
  const Header& header = header_of(message);
  if (header.to != config_.id) return invalid_argument("message for another member");
  if (header.from == NodeId{} || header.from == config_.id) {
    return invalid_argument("message from nobody");
  }
  if (from_leader(message) && header.term == hard_.term() && role_ == Role::kLeader) {
    return invalid_argument("another leader in this term");
  }
  return std::visit([](const auto& m) { return check_body(m); }, message);
}

// Whether the message is still to be looked at.
bool Core::settle_term(const Message& message) {
  const Header& header = header_of(message);
  if (header.term == hard_.term()) return true;
  if (header.term < hard_.term()) {
    if (from_leader(message)) {
      // A leader of the past, maybe cut off by our own higher term: tell it, so that it steps down.
      auto reply = addressed<AppendResp>(header.from);
      next_.send_after_sync.push_back(reply);
    }
    return outlives_its_term(message);
  }
  if (const auto* request = std::get_if<VoteReq>(&message)) {
    // Asking changes nobody's term, and a member that has a leader is not talked out of it.
    if (request->pre || judge(*request) == VoteReason::kHasLeader) return true;
  }
  if (const auto* reply = std::get_if<VoteResp>(&message)) {
    if (reply->pre && reply->reason == VoteReason::kGranted) return true;
  }
  become_follower(header.term, from_leader(message) ? header.from : NodeId{});
  return true;
}

}  // namespace coracle::raft
