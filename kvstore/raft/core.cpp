#include "raft/core.hpp"

#include <algorithm>

namespace coracle::raft {

Core::Core(const Config& config, const LogView& log, Rng& rng)
    : config_(config),
      rng_(rng),
      log_(log),
      history_(config.applied, config.membership),
      applying_(config.applied),
      applied_(config.applied) {
  const Status valid = validate(config);
  CHECK_MSG(valid.ok(), valid.to_string());
  CHECK_MSG(config.applied.next() >= log.first() && config.applied <= log.last(),
            "applied " << config.applied << ", log " << log.first() << ".." << log.last());
  // The stored commit index is a hint: it may name entries of a tail that a crash took.
  const Index commit = std::max(config.applied, std::min(config.hard_state.commit(), log.last()));
  hard_ = HardState(config.hard_state.term(), config.hard_state.vote(), commit);
  // A crash may keep entries or a snapshot and lose the hard state written after them. No vote of
  // that later term can have left (6), so starting it without a vote is safe.
  if (log.term(log.last()) > hard_.term()) hard_.advance(log.term(log.last()), NodeId{});
  for (Index i = config.applied.next(); i <= log.last(); i = i.next()) {
    const Entry entry = log.slice(i, i, 1).front();
    if (entry.kind != EntryKind::kConfig) continue;
    auto change = decode_config_entry(entry.data);
    CHECK_MSG(change.ok(), "entry " << i << ": " << change.status().to_string());
    history_.add(i, std::move(change->after));
  }
  reset_for(hard_.term());
  if (may_campaign() && membership().voters.size() == 1) start_election(ElectionCause::kSoleVoter);
}

Status Core::step(const Message& message) {
  RETURN_IF_ERROR(check_message(message));
  touched_ = true;
  if (!settle_term(message)) return {};
  return std::visit([this](const auto& m) { return on(m); }, message);
}

void Core::tick() {
  ++now_;
  touched_ = true;
  expire_forwarded();
  if (role_ == Role::kLeader) {
    tick_leader();
  } else if (now_ >= deadline_) {
    deadline_ = now_ + timeout_;
    if (may_campaign()) {
      start_election(ElectionCause::kTimeout);
    } else {
      set_leader(NodeId{});
    }
  }
}

bool Core::may_apply() const {
  return applied_ == applying_ && std::min(hard_.commit(), log_.synced()) > applying_;
}

bool Core::has_ready() const {
  return touched_ || !next_.empty() || log_.has_tail() || hard_.changed() || may_apply() ||
         own_reads_.any_granted(applied_);
}

Ready Core::take_ready() {
  if (role_ == Role::kLeader) {
    maybe_start_read_round();
    maybe_confirm_reads();
    feed_peers();
  }
  Ready ready = std::move(next_);
  next_ = Ready{};
  touched_ = false;
  ready.number = ++ready_number_;
  ready.to_append = log_.take_tail(ready.number);
  ready.must_sync = hard_.must_sync() || !ready.to_append.empty() || ready.install;
  if (hard_.changed()) ready.hard_state = hard_;
  hard_.clear_marks();
  if (role_ == Role::kCandidate && vote_ready_ == 0) vote_ready_ = ready.number;
  if (may_apply()) {
    ready.to_apply = log_.slice(applying_.next(), std::min(hard_.commit(), log_.synced()),
                                config_.apply_bytes_max);
    applying_ = ready.to_apply.back().index;
  }
  for (const ReadGrant& grant : own_reads_.take_granted(applied_)) ready.reads.push_back(grant);
  return ready;
}

void Core::on_synced(std::uint64_t ready_number) {
  CHECK_MSG(ready_number <= ready_number_, "Ready " << ready_number << " was not taken yet");
  const Index before = log_.synced();
  log_.on_synced(ready_number);
  // Only news make another Ready, or a driver that takes all there are would never end.
  if (log_.synced() != before) touched_ = true;
  // (6) a candidate's own vote is a vote like any other: it counts when it is durable.
  if (role_ == Role::kCandidate && vote_ready_ != 0 && ready_number >= vote_ready_ &&
      !votes_.contains(config_.id)) {
    touched_ = true;
    count_vote(config_.id, VoteReason::kGranted);
  }
  if (role_ == Role::kLeader) maybe_commit();
}

void Core::on_applied(Index index) {
  CHECK_MSG(index <= applying_, "applied " << index << " but handed out " << applying_);
  if (index <= applied_) return;
  touched_ = true;
  applied_ = index;
  history_.applied_to(applied_);
}

void Core::on_compacted(Index index) {
  CHECK_MSG(index <= applied_, "compacted " << index << " but applied " << applied_);
}

StatusReport Core::status() const {
  StatusReport s;
  s.id = config_.id, s.role = role_, s.term = hard_.term(), s.vote = hard_.vote();
  s.leader = leader_;
  s.first = log_.first(), s.last = log_.last(), s.synced = log_.synced();
  s.commit = hard_.commit(), s.applied = applied_;
  s.membership = membership();
  s.election = election_;
  if (role_ != Role::kLeader) return s;
  s.transfer_to = lead_.transfer_to;
  for (const auto& [id, p] : lead_.peers) {
    s.peers[id] = {p.state(),    p.match(), p.next(),
                   p.inflight(), p.active,  membership().is_learner(id)};
  }
  return s;
}

void Core::check_invariants() const {
  const Index commit = hard_.commit();
  CHECK_MSG(applied_ <= applying_ && applying_ <= commit && commit <= log_.last(),
            "applied " << applied_ << " applying " << applying_ << " commit " << commit << " last "
                       << log_.last());
  CHECK_MSG(applying_ <= log_.synced(), "applying " << applying_ << " synced " << log_.synced());
  CHECK(log_.last_term() <= hard_.term());
  CHECK((role_ == Role::kLeader) == (leader_ == config_.id));
  CHECK(role_ != Role::kCandidate || hard_.vote() == config_.id);
  CHECK(history_.latest_index() <= log_.last());
  if (role_ != Role::kLeader) return;
  CHECK(hard_.vote() == config_.id);
  CHECK(log_.last_term() == hard_.term() && lead_.term_start <= log_.last());
  for (const auto& [id, p] : lead_.peers) {
    CHECK_MSG(id != config_.id && p.match() < p.next() && p.match() <= log_.last(),
              "peer " << id << " match " << p.match() << " next " << p.next());
    CHECK(p.inflight() <= config_.inflight_max);
  }
}

}  // namespace coracle::raft
