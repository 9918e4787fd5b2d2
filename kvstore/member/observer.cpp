#include "member/observer.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace coracle::store {
namespace {

constexpr Duration kFirstBucket = std::chrono::milliseconds(1);

bool same_election(const raft::ElectionReport& a, const raft::ElectionReport& b) {
  return a.term == b.term && a.pre == b.pre && a.cause == b.cause;
}

std::string why(raft::ElectionCause cause) {
  switch (cause) {
    case raft::ElectionCause::kTimeout:
      return "it heard no leader for its time-out";
    case raft::ElectionCause::kTransfer:
      return "the leader hands over to it";
    case raft::ElectionCause::kAsked:
      return "it was asked to";
    case raft::ElectionCause::kSoleVoter:
      return "it is the only voter";
    case raft::ElectionCause::kNone:
      break;
  }
  return "unknown";
}

std::string votes_of(const raft::ElectionReport& report) {
  size_t granted = 0;
  for (const auto& [voter, reason] : report.votes) granted += reason == raft::VoteReason::kGranted;
  return fmt::format("{} of {} answers granted", granted, report.votes.size());
}

struct Describe {
  std::string operator()(const raft::VoteReq& m) const {
    return fmt::format("{} request for term {}; its log ends at entry {} of term {}",
                       m.pre ? "pre-vote" : "vote", m.term.value, m.last_index.value,
                       m.last_term.value);
  }
  std::string operator()(const raft::VoteResp& m) const {
    return fmt::format("{}: {}", m.pre ? "pre-vote" : "vote", raft::name_of(m.reason));
  }
  std::string operator()(const raft::AppendReq& m) const {
    if (m.entries.empty()) {
      return fmt::format("empty append after {}, commit {}", m.prev_index.value, m.commit.value);
    }
    return fmt::format("append of entries {}..{} after {}, commit {}",
                       m.entries.front().index.value, m.entries.back().index.value,
                       m.prev_index.value, m.commit.value);
  }
  std::string operator()(const raft::AppendResp& m) const {
    return m.accepted ? fmt::format("appended up to {}", m.index.value)
                      : fmt::format("append refused after {}, look at {}", m.index.value,
                                    m.hint_index.value);
  }
  std::string operator()(const raft::HeartbeatReq& m) const {
    return fmt::format("heartbeat, commit {}", m.commit.value);
  }
  std::string operator()(const raft::HeartbeatResp&) const { return "heartbeat answered"; }
  std::string operator()(const raft::InstallSnapshot& m) const {
    return fmt::format("snapshot as of entry {}", m.meta.index.value);
  }
  std::string operator()(const raft::ProposeReq& m) const {
    return fmt::format("proposal of {} bytes, forwarded", m.data.size());
  }
  std::string operator()(const raft::ProposeResp& m) const {
    return m.refusal == raft::Refusal::kNone
               ? fmt::format("proposal taken as entry {}", m.at_index.value)
               : fmt::format("proposal refused: {}", raft::name_of(m.refusal));
  }
  std::string operator()(const raft::ReadIndexReq&) const { return "read index asked"; }
  std::string operator()(const raft::ReadIndexResp& m) const {
    return m.refusal == raft::Refusal::kNone
               ? fmt::format("read index is {}", m.index.value)
               : fmt::format("read index refused: {}", raft::name_of(m.refusal));
  }
  std::string operator()(const raft::TimeoutNow&) const { return "stand for election now"; }
};

}  // namespace

std::string describe(const raft::Message& message) { return std::visit(Describe{}, message); }

void SyncTimes::add(Duration duration) {
  Duration bound = kFirstBucket;
  size_t at = 0;
  for (; at < kBuckets && duration > bound; ++at) bound *= 2;
  ++buckets[at];
  ++count;
  sum += duration;
  last = duration;
  longest = std::max(longest, duration);
}

void Observer::note(WallTime now, std::string kind, Term term, NodeId peer, std::string text) {
  events_.push_back({++last_number_, now, std::move(kind), term, peer, std::move(text)});
  if (events_.size() > kEventsMax) events_.pop_front();
}

std::vector<RaftEvent> Observer::events_after(std::uint64_t number) const {
  const auto from = std::find_if(events_.begin(), events_.end(),
                                 [number](const RaftEvent& e) { return e.number > number; });
  return {from, events_.end()};
}

void Observer::look(const raft::Core& core, const Clock& clock) {
  const bool changed = core.role() != role_ || core.term() != term_ || core.leader() != leader_;
  const bool stands =
      core.role() == raft::Role::kCandidate || core.role() == raft::Role::kPreCandidate;
  if (!changed && !stands) return;
  const WallTime now = clock.wall_now();
  look_at_election(core, now);
  if (core.role() != role_ || core.term() != term_) {
    note(now, "role", core.term(), NodeId(0),
         fmt::format("{} in term {}", raft::name_of(core.role()), core.term().value));
  }
  if (core.leader() != leader_) {
    if (core.leader() != NodeId(0)) ++leader_changes;
    note(now, "leader", core.term(), core.leader(),
         core.leader() == NodeId(0) ? "knows of no leader" : "has a leader");
  }
  role_ = core.role();
  term_ = core.term();
  leader_ = core.leader();
}

void Observer::look_at_election(const raft::Core& core, WallTime now) {
  const raft::ElectionReport& report = core.election();
  if (report.cause == raft::ElectionCause::kNone) return;
  if (elections_.empty() || !same_election(elections_.back().report, report)) {
    if (!elections_.empty() && elections_.back().report.pre &&
        elections_.back().report.term == report.term) {
      elections_.back().report.outcome = raft::ElectionOutcome::kWon;  // or it would not stand now
    }
    elections_.push_back(
        {now, {report.term, report.pre, report.cause, raft::ElectionOutcome::kRunning, {}}});
    if (elections_.size() > kElectionsMax) elections_.pop_front();
    note(now, "election", report.term, NodeId(0),
         fmt::format("stands for {}term {}, because {}", report.pre ? "the pre-vote of " : "",
                     report.term.value, why(report.cause)));
  }
  raft::ElectionReport& known = elections_.back().report;
  if (known.votes.size() == report.votes.size() && known.outcome == report.outcome) return;
  const bool ended = known.outcome != report.outcome;
  for (const auto& [voter, reason] : report.votes) {
    if (known.votes.contains(voter)) continue;
    note(now, "election", report.term, voter,
         fmt::format("{} for term {}: {}", report.pre ? "pre-vote" : "vote", report.term.value,
                     raft::name_of(reason)));
  }
  known = report;
  if (!ended) return;
  note(now, "election", report.term, NodeId(0),
       fmt::format("{}term {} {}: {}", report.pre ? "pre-vote of " : "election of ",
                   report.term.value, raft::name_of(report.outcome), votes_of(report)));
}

void Observer::on_sent(const std::vector<raft::Message>& messages, const Clock& clock) {
  for (const raft::Message& message : messages) {
    const auto* vote = std::get_if<raft::VoteResp>(&message);
    if (vote == nullptr) continue;
    const char* kind = vote->pre ? "pre-vote" : "vote";
    note(clock.wall_now(), "vote", vote->term, vote->to,
         vote->reason == raft::VoteReason::kGranted
             ? fmt::format("gives its {} in term {}", kind, vote->term.value)
             : fmt::format("refuses its {}: {}", kind, raft::name_of(vote->reason)));
  }
}

}  // namespace coracle::store
