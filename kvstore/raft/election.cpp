// Who leads: elections with pre-vote, votes, stepping down without a majority.
#include "base/check.hpp"
#include "raft/core.hpp"
#include "raft/quorum.hpp"

namespace coracle::raft {

void Core::set_leader(NodeId leader) {
  if (leader == leader_) return;
  leader_ = leader;
  // Reads are safe to ask again; a forwarded proposal may live on in the log, so nobody knows.
  for (const ReadGrant& g : own_reads_.take_all_forwarded(Refusal::kLostLeadership)) {
    next_.reads.push_back(g);
  }
  for (const std::uint64_t request : forwarded_.take_all()) {
    next_.proposals.push_back({request, Refusal::kNoAnswer, Index{}, Term{}});
  }
}

void Core::reset_for(Term term) {
  if (term > hard_.term()) hard_.advance(term, NodeId{});
  if (election_.outcome == ElectionOutcome::kRunning) election_.outcome = ElectionOutcome::kLost;
  votes_.clear();
  if (role_ == Role::kLeader) {
    for (const ReadWaiter& w : lead_.reads.take_all()) {
      answer_read(w, Refusal::kLostLeadership, Index{});
    }
    lead_ = LeaderState{};
  }
  timeout_ = static_cast<std::uint64_t>(
      rng_.between(config_.election_ticks, 2 * config_.election_ticks - 1));
  deadline_ = now_ + timeout_;
}

void Core::set_election_ticks(int ticks) {
  CHECK(ticks > config_.heartbeat_ticks);
  config_.election_ticks = ticks;
  timeout_ = static_cast<std::uint64_t>(rng_.between(ticks, 2 * ticks - 1));
  deadline_ = now_ + (role_ == Role::kLeader ? static_cast<std::uint64_t>(ticks) : timeout_);
}

void Core::become_follower(Term term, NodeId leader) {
  reset_for(term);
  role_ = Role::kFollower;
  set_leader(leader);
}

void Core::become_pre_candidate(ElectionCause cause) {
  reset_for(hard_.term());
  role_ = Role::kPreCandidate;
  set_leader(NodeId{});
  election_ = {hard_.term().next(), true, cause, ElectionOutcome::kRunning, {}};
  ask_for_votes(hard_.term().next(), true);
  count_vote(config_.id, VoteReason::kGranted);
}

void Core::become_candidate(ElectionCause cause) {
  reset_for(hard_.term());
  hard_.advance(hard_.term().next(), config_.id);
  role_ = Role::kCandidate;
  set_leader(NodeId{});
  vote_ready_ = 0;
  election_ = {hard_.term(), false, cause, ElectionOutcome::kRunning, {}};
  ask_for_votes(hard_.term(), false);
}

void Core::become_leader() {
  election_.outcome = ElectionOutcome::kWon;
  reset_for(hard_.term());
  role_ = Role::kLeader;
  set_leader(config_.id);
  deadline_ = now_ + static_cast<std::uint64_t>(config_.election_ticks);
  lead_ = LeaderState{};
  lead_.term_start = log_.last().next();
  sync_peers_with_membership();
  // Only an entry of the own term commits those before it: write one at once.
  append_own(EntryKind::kNoop, "");
}

bool Core::may_campaign() const {
  return role_ != Role::kLeader && membership().is_voter(config_.id);
}

void Core::start_election(ElectionCause cause) {
  if (cause == ElectionCause::kTransfer) {
    become_candidate(cause);
  } else {
    become_pre_candidate(cause);
  }
}

void Core::campaign() {
  touched_ = true;
  if (may_campaign()) start_election(ElectionCause::kAsked);
}

void Core::ask_for_votes(Term term, bool pre) {
  for (const NodeId voter : membership().voters) {
    if (voter == config_.id) continue;
    auto request = addressed<VoteReq>(voter);
    request.term = term;
    request.pre = pre;
    request.transfer = election_.cause == ElectionCause::kTransfer;
    request.last_index = log_.last();
    request.last_term = log_.last_term();
    (pre ? next_.send_now : next_.send_after_sync).push_back(request);
  }
}

void Core::count_vote(NodeId from, VoteReason reason) {
  if (!votes_.emplace(from, reason == VoteReason::kGranted).second) return;
  election_.votes[from] = reason;
  switch (tally(membership().voters, votes_)) {
    case VoteResult::kPending:
      return;
    case VoteResult::kLost:
      return become_follower(hard_.term(), NodeId{});
    case VoteResult::kWon:
      if (role_ == Role::kPreCandidate) return become_candidate(election_.cause);
      return become_leader();
  }
}

bool Core::heard_from_leader_lately() const {
  if (role_ == Role::kLeader) return true;  // or it would have stepped down (tick_leader)
  return leader_ != NodeId{} &&
         now_ < heard_leader_ + static_cast<std::uint64_t>(config_.election_ticks);
}

// A list of reasons not to grant, and then the grant.
VoteReason Core::judge(const VoteReq& request) const {
  if (!request.transfer && heard_from_leader_lately()) return VoteReason::kHasLeader;
  if (request.term < hard_.term()) return VoteReason::kStaleTerm;
  if (request.term == hard_.term()) {
    const bool free =
        hard_.vote() == request.from || (hard_.vote() == NodeId{} && leader_ == NodeId{});
    if (!free) return VoteReason::kAlreadyVoted;
  }
  // The election restriction: a leader must hold every committed entry (invariant 3).
  const bool up_to_date =
      request.last_term > log_.last_term() ||
      (request.last_term == log_.last_term() && request.last_index >= log_.last());
  if (!up_to_date) return VoteReason::kLogBehind;
  return VoteReason::kGranted;
}

Status Core::on(const VoteReq& request) {
  const VoteReason reason = judge(request);
  auto reply = addressed<VoteResp>(request.from);
  reply.pre = request.pre;
  reply.reason = reason;
  if (request.pre) {
    if (reason == VoteReason::kGranted) reply.term = request.term;
    next_.send_now.push_back(reply);
    return {};
  }
  if (reason == VoteReason::kGranted) {
    hard_.advance(request.term, request.from);
    deadline_ = now_ + timeout_;
  }
  // (6) the vote must survive a crash before anybody counts it.
  next_.send_after_sync.push_back(reply);
  return {};
}

Status Core::on(const VoteResp& reply) {
  if (!membership().is_voter(reply.from)) return {};
  const bool granted = reply.reason == VoteReason::kGranted;
  if (reply.pre) {
    const bool current = !granted || reply.term == hard_.term().next();
    if (role_ == Role::kPreCandidate && current) count_vote(reply.from, reply.reason);
  } else if (role_ == Role::kCandidate) {
    count_vote(reply.from, reply.reason);
  }
  return {};
}

Status Core::on(const TimeoutNow&) {
  if (may_campaign()) start_election(ElectionCause::kTransfer);
  return {};
}

bool Core::quorum_active() const {
  std::size_t active = 0;
  for (const NodeId voter : membership().voters) {
    const auto peer = lead_.peers.find(voter);
    if (voter == config_.id || (peer != lead_.peers.end() && peer->second.active)) ++active;
  }
  return active >= majority(membership().voters.size());
}

void Core::tick_leader() {
  if (now_ >= deadline_) {
    if (!quorum_active()) return become_follower(hard_.term(), NodeId{});
    for (auto& [id, peer] : lead_.peers) peer.active = false;
    deadline_ = now_ + static_cast<std::uint64_t>(config_.election_ticks);
  }
  if (lead_.transfer_to != NodeId{} && now_ >= lead_.transfer_deadline) {
    lead_.transfer_to = NodeId{};
  }
  if (now_ % static_cast<std::uint64_t>(config_.heartbeat_ticks) == 0) {
    // A round whose answers were lost must not hold up the reads behind it.
    if (committed_in_own_term() && lead_.reads.any_waiting()) {
      lead_.reads.start_round(hard_.commit());
    }
    send_heartbeats();
  }
}

Status Core::transfer_leadership(NodeId to) {
  if (role_ != Role::kLeader) return failed_precondition("this member does not lead");
  if (to == config_.id || !membership().is_voter(to)) {
    return failed_precondition("leadership can only go to another voter");
  }
  touched_ = true;
  lead_.transfer_to = to;
  lead_.transfer_deadline = now_ + static_cast<std::uint64_t>(config_.election_ticks);
  maybe_finish_transfer(to);
  return {};
}

void Core::maybe_finish_transfer(NodeId peer) {
  if (peer != lead_.transfer_to) return;
  if (lead_.peers.at(peer).match() != log_.last()) return;
  next_.send_now.push_back(addressed<TimeoutNow>(peer));
}

}  // namespace coracle::raft
