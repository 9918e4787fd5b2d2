#include "member/member.hpp"

#include <fmt/format.h>

#include "base/log.hpp"
#include "member/errors.hpp"

namespace coracle::store {
namespace {

constexpr size_t kExpiriesPerTick = 100;
constexpr size_t kCheckpointsPerTick = 1000;
constexpr std::uint64_t kTicksPerSizeCheck = 20;
constexpr std::uint64_t kHurryTicks = 60;
constexpr std::uint64_t kTicksPerQuestion = 20;
// A new voter that lacks no more than this has caught up: it is sent in a moment.
constexpr std::uint64_t kCaughtUpEntries = 2000;
// Of a member that was removed: its last messages and answers still leave.
constexpr Duration kLeaveAfter = std::chrono::seconds(1);

}  // namespace

void Member::start() {
  transport_.start(*this);
  tick();
}

void Member::finish() {
  proposals_->fail_all(err_stopped());
  reads_->fail_all(err_stopped());
  hooks.on_stop();
  transport_.stop();
  transport_.cancel_snapshots();
  hooks.on_state_goes();
  if (const Status status = state_->flush(); !status.ok()) folder_.give_up(status);
}

void Member::stop_gracefully() {
  if (std::exchange(stopping_, true)) return;
  if (core_->role() == raft::Role::kLeader) {
    // To the voter whose log is the longest.
    NodeId best;
    Index match;
    for (const auto& [peer, report] : core_->status().peers) {
      if (peer == id() || report.learner || !report.active || report.match < match) continue;
      best = peer;
      match = report.match;
    }
    if (best != NodeId(0) && core_->transfer_leadership(best).ok()) {
      log::info("handing leadership to member {:x}", best.value);
      loop_.after(options_.election, [this] { stop_(); });
      return;
    }
  }
  stop_();
}

void Member::restart_ticking() {
  loop_.cancel(tick_timer_);
  tick_timer_ = loop_.after(inside.heartbeat / kTicksPerHeartbeat, [this] { tick(); });
}

// What was heard of it says no longer that it is there.
void Member::peer_unreachable(NodeId peer) {
  heard_.erase(peer);
  core_->report_unreachable(peer);
}

void Member::snapshot_sent(NodeId peer, bool ok) {
  core_->report_snapshot(peer, ok);
  inside.sending.erase(peer);
  inside.observer.note(loop_.wall_now(), "snapshot", core_->term(), peer,
                       ok ? "the state was sent" : "sending the state failed");
}

void Member::tick() {
  restart_ticking();
  if (!inside.classroom.paused()) {
    core_->tick();
    hurry_first_election();
  }
  const TimePoint now = loop_.now();
  proposals_->tick(now);
  reads_->tick(now);
  expire_leases();
  publish_self();
  promote_who_caught_up();
  ask_if_still_member();
  if (++ticks_ % kTicksPerSizeCheck == 0) db_bytes_ = state_->bytes_on_disk();
  hooks.on_tick();
}

// Nobody has to wait for a time-out when all members of a cluster start together: the one with the
// smallest id asks (by pre-vote, which disturbs nobody) until there is a leader.
void Member::hurry_first_election() {
  if (ticks_ > kHurryTicks || known_leader_ != NodeId(0)) return;
  const auto& voters = core_->membership().voters;
  if (!voters.empty() && *voters.begin() == id() && ticks_ % kTicksPerHeartbeat == 1)
    core_->campaign();
}

void Member::propose(std::uint64_t request, std::string data, Answer answer) {
  proposals_->submit(request, std::move(data), loop_.now(), std::move(answer));
}

void Member::propose(Proposal proposal, Answer answer) {
  const std::uint64_t request = next_request();
  proposal.set_member(identity_.member);
  proposal.set_request(request);
  propose(request, proposal.SerializeAsString(), std::move(answer));
}

void Member::propose_change(raft::MembershipChange change, Answer answer) {
  // The entry names no request, so the answer waits for the membership to say it is done.
  proposals_->submit_change(next_request(), std::move(change), loop_.now(), std::move(answer));
}

bool Member::over_quota(std::uint64_t bytes) const {
  constexpr std::uint64_t kEntryOverhead = 256;
  return db_bytes_ + bytes + kEntryOverhead >= std::uint64_t(options_.quota_bytes);
}

void Member::refuse_growth(std::function<void(Status)> done) {
  if (machine_->has_alarm(pb::NOSPACE)) return done(err_no_space());
  Proposal alarm;
  alarm.mutable_alarm()->set_action(pb::AlarmRequest::ACTIVATE);
  alarm.mutable_alarm()->set_memberid(identity_.member);
  alarm.mutable_alarm()->set_alarm(pb::NOSPACE);
  propose(std::move(alarm), [done = std::move(done)](const Outcome&) { done(err_no_space()); });
}

void Member::fill_header(pb::ResponseHeader* header) const {
  header->set_cluster_id(identity_.cluster);
  header->set_member_id(identity_.member);
  header->set_raft_term(core_->term().value);
  if (header->revision() == 0) header->set_revision(machine_->store().revision().value);
}

Status Member::move_leader(NodeId to) {
  if (core_->role() != raft::Role::kLeader) return err_not_leader();
  if (!core_->membership().is_voter(to)) return err_bad_transferee();
  if (to == id()) return {};
  return core_->transfer_leadership(to);
}

void Member::defragment(std::function<void()> done) {
  defragment_waiters_.push_back(std::move(done));
  if (defragment_waiters_.size() > 1) return;  // one at a time
  folder_.aside(
      [state = state_] {
        state->compact();
        return Status();
      },
      [this](const Status&) {
        db_bytes_ = state_->bytes_on_disk();
        for (auto& waiter : std::exchange(defragment_waiters_, {})) waiter();
      });
}

bool Member::long_without_leader() const {
  return known_leader_ == NodeId(0) && loop_.now() - leaderless_since_ > 3 * options_.election;
}

void Member::step(std::vector<raft::Message> messages) {
  for (const raft::Message& message : inside.classroom.arrive(std::move(messages))) {
    const NodeId from = raft::header_of(message).from;
    if (machine_->removed().contains(from)) continue;
    if (core_->membership().contains(from)) heard_[from] = loop_.now();
    if (const Status status = core_->step(message); !status.ok()) {
      log::debug("message of member {:x} refused: {}", raft::header_of(message).from.value,
                 status.message());
    }
  }
}

// Once a turn: what a change of leader means for the rest of the member.
void Member::watch_leadership() {
  inside.observer.look(*core_, loop_);
  const NodeId leader = core_->leader();
  if (leader != known_leader_) {
    if (leader == NodeId(0)) {
      leaderless_since_ = loop_.now();
      log::info("lost the leader, term {}", core_->term().value);
    } else {
      const auto gap =
          std::chrono::duration_cast<std::chrono::milliseconds>(loop_.now() - leaderless_since_);
      log::info("member {:x}{} leads, term {} (no leader known for {} ms)", leader.value,
                leader == id() ? " (this one)" : "", core_->term().value,
                known_leader_ == NodeId(0) ? gap.count() : 0);
    }
    known_leader_ = leader;
    proposals_->retry_parked();
  }
  const bool leads = core_->role() == raft::Role::kLeader;
  if (leads == was_leader_) return;
  was_leader_ = leads;
  if (leads) {
    machine_->lessor().promote(loop_.now(), options_.election);
  } else {
    machine_->lessor().demote();
  }
}

void Member::expire_leases() {
  // The lessor learns at the end of a turn that another leads; this turn may have told the core.
  if (!machine_->lessor().primary() || core_->role() != raft::Role::kLeader) return;
  for (const LeaseId lease : machine_->lessor().expiring(loop_.now(), kExpiriesPerTick)) {
    Proposal proposal;
    proposal.mutable_lease_revoke()->set_id(lease.value);
    propose(std::move(proposal), [](Outcome) {});
  }
  const auto due = machine_->lessor().due_checkpoints(loop_.now(), kCheckpointsPerTick);
  if (due.empty()) return;
  Proposal proposal;
  for (const lease::Checkpoint& checkpoint : due) {
    auto* lease = proposal.mutable_lease_checkpoint()->add_leases();
    lease->set_id(checkpoint.id.value);
    lease->set_remaining_seconds(checkpoint.remaining_seconds);
  }
  propose(std::move(proposal), [](Outcome) {});
}

// Tells everybody under which name and client URLs this member is found, if they do not know.
void Member::publish_self() {
  if (known_leader_ == NodeId(0) || publishing_) return;
  const auto found = machine_->members().find(id());
  if (found != machine_->members().end()) {
    const pb::Member& known = found->second;
    if (known.name() == options_.name &&
        std::equal(known.clienturls().begin(), known.clienturls().end(),
                   options_.advertise_client.begin(), options_.advertise_client.end())) {
      return;
    }
  }
  Proposal proposal;
  pb::Member* self = proposal.mutable_publish();
  self->set_id(id().value);
  self->set_name(options_.name);
  for (const std::string& url : options_.advertise_client) self->add_clienturls(url);
  publishing_ = true;
  propose(std::move(proposal), [this](Outcome) {
    publishing_ = false;  // the next tick looks again
  });
}

// A new voter counts in quorums only when it has what the others have: as long as it is not there,
// or far behind, it costs nobody anything.
void Member::promote_who_caught_up() {
  if (core_->role() != raft::Role::kLeader || core_->membership().learners.empty()) return;
  const raft::StatusReport report = core_->status();
  for (const auto& [peer, progress] : report.peers) {
    if (!progress.learner || !machine_->awaits_vote(peer) || !heard_from(peer)) continue;
    if (progress.state != raft::PeerState::kReplicate ||
        progress.match.value + kCaughtUpEntries < report.last.value) {
      continue;
    }
    // Refused while another change is under way: the next tick looks again.
    if (core_->propose_config(next_request(), {raft::ChangeKind::kPromote, peer, ""}).ok()) {
      log::info("member {:x} has caught up and votes from now on", peer.value);
    }
  }
}

// A learner never stands for election, so nobody would tell it that it was removed. A pre-vote
// changes nothing at whoever gets it.
void Member::ask_if_still_member() {
  if (!long_without_leader() || core_->membership().is_voter(id())) return;
  if (ticks_ % kTicksPerQuestion != 0) return;
  std::vector<raft::Message> questions;
  for (const auto& [peer, member] : machine_->members()) {
    if (peer == id()) continue;
    raft::VoteReq question;
    question.from = id();
    question.to = peer;
    question.term = core_->term();
    question.pre = true;
    questions.push_back(question);
  }
  transport_.send(std::move(questions));
}

bool Member::heard_from(NodeId peer) const {
  const auto found = heard_.find(peer);
  return peer == id() || (found != heard_.end() && loop_.now() - found->second < options_.election);
}

void Member::leave() {
  if (std::exchange(leaving_, true)) return;
  log::error("this member ({:x}) was removed from the cluster: it stops, and {} is of no more use",
             id().value, options_.data_dir);
  loop_.after(kLeaveAfter, [this] { stop_(); });
}

void Member::refresh_peers() {
  std::map<NodeId, Urls> peers;
  for (const auto& [peer, member] : machine_->members()) {
    if (peer == id() || member.peerurls().empty()) continue;
    peers[peer].assign(member.peerurls().begin(), member.peerurls().end());
  }
  transport_.set_peers(peers);
}

}  // namespace coracle::store
