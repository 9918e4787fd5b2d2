// The turn: what the core's Ready asks for, in the order raft/ready.hpp demands.
#include <fmt/format.h>

#include "base/log.hpp"
#include "member/member.hpp"

namespace coracle::store {

void Member::end_of_turn() {
  if (stopping_ && core_->role() != raft::Role::kLeader) stop_();
  inside.observer.look(*core_, loop_);
  if (!inside.classroom.take_turn()) return;
  do {
    reads_->start_round();
    while (core_->has_ready()) run_ready(core_->take_ready());
  } while (reads_->may_start());
  staged_.reset();  // a snapshot that the core did not want
  watch_leadership();
  background_work();
}

void Member::run_ready(raft::Ready ready) {
  if (ready.install) install_now(*ready.install);
  if (!ready.to_append.empty()) view_.append(ready.to_append);
  dispatch(std::move(ready.send_now));
  persist(ready);
  if (ready.must_sync) core_->on_synced(ready.number);
  dispatch(std::move(ready.send_after_sync));
  for (const raft::ProposalOutcome& outcome : ready.proposals) proposals_->on_outcome(outcome);
  apply(ready.to_apply);
  for (const raft::ReadGrant& grant : ready.reads) reads_->on_grant(grant);
}

void Member::persist(const raft::Ready& ready) {
  if (ready.hard_state) unwritten_ = *ready.hard_state;
  // The commit index alone is a hint; it waits for a write that is needed anyway.
  if (ready.to_append.empty() && !ready.must_sync) return;
  const TimePoint began = loop_.now();
  const Status status = log_->append(unwritten_, ready.to_append);
  if (!status.ok()) folder_.give_up(status);
  inside.observer.syncs.add(loop_.now() - began);
  unwritten_.reset();
  for (const raft::Entry& entry : ready.to_append) {
    view_bytes_ += raft::cost_bytes(entry);
    unflushed_bytes_ += raft::cost_bytes(entry);
  }
}

void Member::dispatch(std::vector<raft::Message> messages) {
  if (messages.empty()) return;
  std::erase_if(messages, [this](const raft::Message& message) {
    const auto* order = std::get_if<raft::InstallSnapshot>(&message);
    if (order != nullptr) send_snapshot(*order);
    return order != nullptr;
  });
  inside.classroom.depart(&messages);
  inside.observer.on_sent(messages, loop_);
  transport_.send(std::move(messages));
}

void Member::send_snapshot(const raft::InstallSnapshot& order) {
  raft::InstallSnapshot actual = order;
  const AppliedMark applied = machine_->applied();
  actual.meta = {applied.index, applied.term, machine_->membership()};
  if (inside.classroom.is_cut(order.to)) return core_->report_snapshot(order.to, false);
  log::info("sending the state as of entry {} to member {:x}", applied.index.value, order.to.value);
  inside.observer.note(loop_.wall_now(), "snapshot", core_->term(), order.to,
                       fmt::format("sends the state as of entry {}", applied.index.value));
  const auto progress = std::make_shared<SnapshotProgress>();
  progress->index = applied.index;
  progress->about_bytes = std::uint64_t(machine_->store().bytes_in_use());
  inside.sending[order.to] = progress;
  transport_.send_snapshot(actual, std::make_shared<CountedState>(state_->snapshot(), progress));
}

void Member::apply(const std::vector<raft::Entry>& entries) {
  if (entries.empty()) return;
  std::vector<std::pair<std::uint64_t, Outcome>> answers;
  const TimePoint now = loop_.now();
  std::uint64_t bytes = 0;
  for (const raft::Entry& entry : entries) {
    const std::uint64_t own_request = proposals_->on_entry(entry);
    bytes += entry.data.size();
    if (entry.kind == raft::EntryKind::kNoop) continue;
    if (entry.kind == raft::EntryKind::kConfig) {
      machine_->apply_change(raft::decode_config_entry(entry.data).value());
      if (own_request != 0) {
        Outcome done;
        done.revision = machine_->store().revision();
        answers.emplace_back(own_request, std::move(done));
      }
      continue;
    }
    Proposal proposal;
    if (!proposal.ParseFromString(entry.data)) {
      folder_.give_up(data_loss(fmt::format("log entry {} cannot be read", entry.index.value)));
    }
    Outcome outcome = machine_->apply(proposal, now);
    if (proposal.member() == identity_.member && proposals_->is_pending(proposal.request())) {
      answers.emplace_back(proposal.request(), std::move(outcome));
    }
  }
  publish_changes({entries.back().index, entries.back().term});
  db_bytes_ += bytes;  // about; a burst must not pass the quota before the next look at the files
  core_->on_applied(entries.back().index);
  for (auto& [request, outcome] : answers) proposals_->answer(request, std::move(outcome));
  refresh_peers();
  if (machine_->removed().contains(id())) leave();
}

void Member::publish_changes(AppliedMark mark) {
  const std::vector<mvcc::Change> changes = machine_->end_turn(mark);
  if (!changes.empty()) hooks.deliver(hub_->publish(changes));
}

void Member::install(const raft::InstallSnapshot& order, std::unique_ptr<StagedState> staged) {
  // A knob keeps it away; the leader will try again.
  if (inside.classroom.paused() || inside.classroom.is_cut(order.from)) return;
  staged_ = std::move(staged);
  if (const Status status = core_->step(order); !status.ok()) {
    log::warn("snapshot refused: {}", status.message());
  }
}

void Member::install_now(const raft::SnapshotMeta& meta) {
  CHECK(staged_ != nullptr);
  log::info("installing the leader's state as of entry {}", meta.index.value);
  inside.observer.note(loop_.wall_now(), "snapshot", core_->term(), core_->leader(),
                       fmt::format("installs the state as of entry {}", meta.index.value));
  folder_.wait_for_asides();
  transport_.cancel_snapshots();
  hooks.on_state_goes();
  const auto must = [this](const Status& status) {
    if (!status.ok()) folder_.give_up(status);
  };
  must(staged_->finish());
  staged_.reset();
  // Watchers still read the old store until restored() gives them the new one.
  std::unique_ptr<StateMachine> old_machine = std::move(machine_);
  state_.reset();
  ++state_epoch_;
  must(folder_.replace_state());
  reopen_machine();
  old_machine.reset();
  must(log_->reset(meta.index, meta.term));
  view_.reset(meta.index, meta.term);
  view_bytes_ = unflushed_bytes_ = 0;
  flushing_ = false;
  refresh_peers();
}

void Member::background_work() {
  if (machine_->store().compaction_pending()) {
    machine_->compact_step(options_.compact_keys);
    publish_changes(machine_->applied());
    loop_.post([] {});  // another turn for the next piece
  } else {
    for (auto& done : std::exchange(compaction_waiters_, {})) done();
  }
  if (hub_->needs_catch_up()) {
    hooks.deliver(hub_->catch_up());
    if (hub_->needs_catch_up()) loop_.post([] {});
  }
  trim_view();
  maybe_flush();
}

// Entries that everybody applied are of no use; some are kept for members that were away.
void Member::trim_view() {
  const std::uint64_t held = view_.last().value + 1 - view_.first().value;
  if (view_bytes_ < kViewBytesMax && held < 2 * std::uint64_t(options_.snapshot_count)) return;
  const Index applied = machine_->applied().index;
  size_t bytes = 0;
  std::uint64_t kept = 0;
  Index upto = view_.last();
  while (upto >= view_.first() && bytes < kViewBytesMax / 2 &&
         kept < std::uint64_t(options_.snapshot_count)) {
    bytes += raft::cost_bytes(view_.at(upto));
    ++kept;
    upto = upto.prev();
  }
  upto = std::min(upto, applied);
  view_bytes_ = bytes;
  if (upto < view_.first()) return;
  view_.compact(upto);
  core_->on_compacted(upto);
}

void Member::maybe_flush() {
  if (flushing_ || unflushed_bytes_ < options_.flush_bytes) return;
  unflushed_bytes_ = 0;
  flushing_ = true;
  folder_.aside([state = state_] { return state->flush(); },
                [this, epoch = state_epoch_, upto = machine_->applied().index](Status status) {
                  if (epoch != state_epoch_) return;  // a snapshot took the place of that state
                  flushing_ = false;
                  if (status.ok()) status = log_->cut(upto);
                  if (!status.ok()) folder_.give_up(status);
                  db_bytes_ = state_->bytes_on_disk();
                });
}

}  // namespace coracle::store
