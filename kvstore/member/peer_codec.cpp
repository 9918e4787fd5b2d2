#include "member/peer_codec.hpp"

namespace coracle::store {
namespace {

void put(const raft::VoteReq& m, Message* out) {
  auto* x = out->mutable_vote_req();
  x->set_pre(m.pre);
  x->set_transfer(m.transfer);
  x->set_last_index(m.last_index.value);
  x->set_last_term(m.last_term.value);
}

void put(const raft::VoteResp& m, Message* out) {
  auto* x = out->mutable_vote_resp();
  x->set_pre(m.pre);
  x->set_reason(std::uint32_t(m.reason));
}

void put(const raft::AppendReq& m, Message* out) {
  auto* x = out->mutable_append_req();
  x->set_prev_index(m.prev_index.value);
  x->set_prev_term(m.prev_term.value);
  x->set_commit(m.commit.value);
  for (const raft::Entry& entry : m.entries) {
    Entry* e = x->add_entries();
    e->set_term(entry.term.value);
    e->set_index(entry.index.value);
    e->set_kind(std::uint32_t(entry.kind));
    e->set_data(entry.data);
  }
}

void put(const raft::AppendResp& m, Message* out) {
  auto* x = out->mutable_append_resp();
  x->set_accepted(m.accepted);
  x->set_index(m.index.value);
  x->set_hint_index(m.hint_index.value);
  x->set_hint_term(m.hint_term.value);
}

void put(const raft::HeartbeatReq& m, Message* out) {
  out->mutable_heartbeat_req()->set_commit(m.commit.value);
  out->mutable_heartbeat_req()->set_round(m.round);
}

void put(const raft::HeartbeatResp& m, Message* out) {
  out->mutable_heartbeat_resp()->set_round(m.round);
}

void put(const raft::ProposeReq& m, Message* out) {
  auto* x = out->mutable_propose_req();
  x->set_request(m.request);
  x->set_kind(std::uint32_t(m.kind));
  x->set_data(m.data);
  x->set_attempt(m.attempt);
}

void put(const raft::ProposeResp& m, Message* out) {
  auto* x = out->mutable_propose_resp();
  x->set_request(m.request);
  x->set_refusal(std::uint32_t(m.refusal));
  x->set_at_index(m.at_index.value);
  x->set_at_term(m.at_term.value);
  x->set_attempt(m.attempt);
}

void put(const raft::ReadIndexReq& m, Message* out) {
  out->mutable_read_index_req()->set_context(m.context);
}

void put(const raft::ReadIndexResp& m, Message* out) {
  auto* x = out->mutable_read_index_resp();
  x->set_context(m.context);
  x->set_refusal(std::uint32_t(m.refusal));
  x->set_index(m.index.value);
}

void put(const raft::TimeoutNow&, Message* out) { out->mutable_timeout_now(); }

void put(const raft::InstallSnapshot&, Message*) {
  CHECK_MSG(false, "a snapshot is not a plain message");
}

Status unknown(std::string_view field) {
  return invalid_argument("peer message: unknown " + std::string(field));
}

bool known_kind(std::uint32_t kind) { return kind <= std::uint32_t(raft::EntryKind::kNoop); }
bool known_refusal(std::uint32_t r) { return r <= std::uint32_t(raft::Refusal::kNoAnswer); }

Result<raft::Message> get_append(raft::AppendReq m, const AppendReq& x) {
  m.prev_index = Index(x.prev_index());
  m.prev_term = Term(x.prev_term());
  m.commit = Index(x.commit());
  m.entries.reserve(size_t(x.entries_size()));
  Index want = m.prev_index;
  for (const Entry& e : x.entries()) {
    want = want.next();
    if (!known_kind(e.kind())) return unknown("entry kind");
    if (e.index() != want.value) return invalid_argument("peer message: entries with a gap");
    m.entries.push_back({Term(e.term()), Index(e.index()), raft::EntryKind(e.kind()), e.data()});
  }
  return raft::Message(std::move(m));
}

template <class T>
T with_header(const Message& in) {
  T out;
  out.from = NodeId(in.from());
  out.to = NodeId(in.to());
  out.term = Term(in.term());
  return out;
}

Result<raft::Message> get_votes(const Message& in) {
  if (in.has_vote_req()) {
    auto m = with_header<raft::VoteReq>(in);
    const VoteReq& x = in.vote_req();
    m.pre = x.pre();
    m.transfer = x.transfer();
    m.last_index = Index(x.last_index());
    m.last_term = Term(x.last_term());
    return raft::Message(m);
  }
  auto m = with_header<raft::VoteResp>(in);
  m.pre = in.vote_resp().pre();
  if (in.vote_resp().reason() > std::uint32_t(raft::VoteReason::kHasLeader)) {
    return unknown("vote reason");
  }
  m.reason = raft::VoteReason(in.vote_resp().reason());
  return raft::Message(m);
}

Result<raft::Message> get_proposals(const Message& in) {
  if (in.has_propose_req()) {
    auto m = with_header<raft::ProposeReq>(in);
    if (!known_kind(in.propose_req().kind())) return unknown("entry kind");
    m.request = in.propose_req().request();
    m.kind = raft::EntryKind(in.propose_req().kind());
    m.data = in.propose_req().data();
    m.attempt = in.propose_req().attempt();
    return raft::Message(std::move(m));
  }
  auto m = with_header<raft::ProposeResp>(in);
  const ProposeResp& x = in.propose_resp();
  if (!known_refusal(x.refusal())) return unknown("refusal");
  m.request = x.request();
  m.refusal = raft::Refusal(x.refusal());
  m.at_index = Index(x.at_index());
  m.at_term = Term(x.at_term());
  m.attempt = x.attempt();
  return raft::Message(m);
}

Result<raft::Message> get_reads(const Message& in) {
  if (in.has_read_index_req()) {
    auto m = with_header<raft::ReadIndexReq>(in);
    m.context = in.read_index_req().context();
    return raft::Message(m);
  }
  auto m = with_header<raft::ReadIndexResp>(in);
  const ReadIndexResp& x = in.read_index_resp();
  if (!known_refusal(x.refusal())) return unknown("refusal");
  m.context = x.context();
  m.refusal = raft::Refusal(x.refusal());
  m.index = Index(x.index());
  return raft::Message(m);
}

}  // namespace

void encode(const raft::Message& message, Message* out) {
  const raft::Header& header = raft::header_of(message);
  out->set_from(header.from.value);
  out->set_to(header.to.value);
  out->set_term(header.term.value);
  std::visit([out](const auto& m) { put(m, out); }, message);
}

Result<raft::Message> decode(const Message& in) {
  switch (in.body_case()) {
    case Message::kVoteReq:
    case Message::kVoteResp:
      return get_votes(in);
    case Message::kAppendReq:
      return get_append(with_header<raft::AppendReq>(in), in.append_req());
    case Message::kAppendResp: {
      auto m = with_header<raft::AppendResp>(in);
      m.accepted = in.append_resp().accepted();
      m.index = Index(in.append_resp().index());
      m.hint_index = Index(in.append_resp().hint_index());
      m.hint_term = Term(in.append_resp().hint_term());
      return raft::Message(m);
    }
    case Message::kHeartbeatReq: {
      auto m = with_header<raft::HeartbeatReq>(in);
      m.commit = Index(in.heartbeat_req().commit());
      m.round = in.heartbeat_req().round();
      return raft::Message(m);
    }
    case Message::kHeartbeatResp: {
      auto m = with_header<raft::HeartbeatResp>(in);
      m.round = in.heartbeat_resp().round();
      return raft::Message(m);
    }
    case Message::kProposeReq:
    case Message::kProposeResp:
      return get_proposals(in);
    case Message::kReadIndexReq:
    case Message::kReadIndexResp:
      return get_reads(in);
    case Message::kTimeoutNow:
      return raft::Message(with_header<raft::TimeoutNow>(in));
    case Message::BODY_NOT_SET:
      break;
  }
  return unknown("kind");
}

void encode(const raft::Membership& membership, Membership* out) {
  for (const NodeId id : membership.voters) out->add_voters(id.value);
  for (const NodeId id : membership.learners) out->add_learners(id.value);
}

raft::Membership decode(const Membership& membership) {
  raft::Membership out;
  for (const std::uint64_t id : membership.voters()) out.voters.insert(NodeId(id));
  for (const std::uint64_t id : membership.learners()) out.learners.insert(NodeId(id));
  return out;
}

void encode(const raft::InstallSnapshot& order, std::uint64_t cluster, SnapshotHeader* out) {
  out->set_cluster(cluster);
  out->set_from(order.from.value);
  out->set_to(order.to.value);
  out->set_term(order.term.value);
  out->mutable_meta()->set_index(order.meta.index.value);
  out->mutable_meta()->set_term(order.meta.term.value);
  encode(order.meta.membership, out->mutable_meta()->mutable_membership());
}

raft::InstallSnapshot decode(const SnapshotHeader& header) {
  raft::InstallSnapshot order;
  order.from = NodeId(header.from());
  order.to = NodeId(header.to());
  order.term = Term(header.term());
  order.meta.index = Index(header.meta().index());
  order.meta.term = Term(header.meta().term());
  order.meta.membership = decode(header.meta().membership());
  return order;
}

void encode(const MemberChange& change, ChangeRequest* out) {
  switch (change.kind) {
    case MemberChange::Kind::kAdd:
      for (const std::string& url : change.peer_urls) out->mutable_add()->add_peerurls(url);
      out->mutable_add()->set_islearner(change.learner);
      return;
    case MemberChange::Kind::kRemove:
      return out->set_remove(change.id.value);
    case MemberChange::Kind::kPromote:
      return out->set_promote(change.id.value);
  }
}

Result<MemberChange> decode(const ChangeRequest& request) {
  MemberChange change;
  switch (request.change_case()) {
    case ChangeRequest::kAdd:
      change.peer_urls.assign(request.add().peerurls().begin(), request.add().peerurls().end());
      change.learner = request.add().islearner();
      if (change.peer_urls.empty()) return invalid_argument("peer message: a member without URLs");
      return change;
    case ChangeRequest::kRemove:
      change.kind = MemberChange::Kind::kRemove;
      change.id = NodeId(request.remove());
      return change;
    case ChangeRequest::kPromote:
      change.kind = MemberChange::Kind::kPromote;
      change.id = NodeId(request.promote());
      return change;
    case ChangeRequest::CHANGE_NOT_SET:
      break;
  }
  return unknown("change");
}

}  // namespace coracle::store
