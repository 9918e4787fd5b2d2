// How entries travel: the leader's log, the followers' logs, the commit index, snapshots.
#include <algorithm>

#include "raft/core.hpp"
#include "raft/quorum.hpp"

namespace coracle::raft {

void Core::follow(NodeId leader) {
  if (role_ != Role::kFollower || leader_ != leader) become_follower(hard_.term(), leader);
  heard_leader_ = now_;
  deadline_ = now_ + timeout_;
}

void Core::append_to_log(std::vector<Entry> entries) {
  if (entries.front().index <= log_.last()) history_.truncate_from(entries.front().index);
  for (const Entry& e : entries) {
    if (e.kind != EntryKind::kConfig) continue;
    history_.add(e.index, decode_config_entry(e.data).value().after);
  }
  log_.append(std::move(entries));
}

void Core::append_own(EntryKind kind, std::string data) {
  Entry entry{hard_.term(), log_.last().next(), kind, std::move(data)};
  lead_.proposed(entry);
  append_to_log({std::move(entry)});
  if (kind == EntryKind::kConfig) sync_peers_with_membership();
}

void Core::sync_peers_with_membership() {
  std::erase_if(lead_.peers, [&](const auto& p) { return !membership().contains(p.first); });
  for (const auto* ids : {&membership().voters, &membership().learners}) {
    for (const NodeId id : *ids) {
      if (id != config_.id) lead_.peers.try_emplace(id, log_.last().next());
    }
  }
  if (!membership().is_voter(lead_.transfer_to)) lead_.transfer_to = NodeId{};
}

void Core::feed_peers() {
  for (auto& [id, progress] : lead_.peers) {
    while (maybe_send_append(id, progress)) {
    }
  }
}

// Returns whether another append to this peer may follow at once.
bool Core::maybe_send_append(NodeId peer, Progress& progress) {
  if (progress.paused(config_.inflight_max)) return false;
  const Index prev = progress.next().prev();
  const auto prev_term = log_.term(prev);
  if (!prev_term) {
    send_snapshot(peer, progress);
    return false;
  }
  const bool anything = progress.next() <= log_.last();
  const Index commit = hard_.commit();
  if (!anything && progress.state() == PeerState::kReplicate && !progress.wants_empty(commit)) {
    return false;
  }
  auto request = addressed<AppendReq>(peer);
  request.prev_index = prev;
  request.prev_term = *prev_term;
  request.commit = commit;
  if (anything) {
    request.entries = log_.slice(progress.next(), log_.last(), config_.append_bytes_max);
  }
  progress.sent(prev.plus(request.entries.size()), commit);
  // Before the own sync: the leader counts itself in maybe_commit only up to what is durable.
  next_.send_now.push_back(std::move(request));
  return anything;
}

void Core::send_snapshot(NodeId peer, Progress& progress) {
  if (!progress.active) return;  // do not stream into the void
  auto order = addressed<InstallSnapshot>(peer);
  order.meta = {applied_, log_.term(applied_).value(), history_.at(applied_)};
  progress.become_snapshot(applied_);
  next_.send_now.push_back(std::move(order));
}

void Core::send_heartbeats() {
  for (const auto& [id, progress] : lead_.peers) {
    auto beat = addressed<HeartbeatReq>(id);
    beat.commit = std::min(progress.match(), hard_.commit());
    beat.round = lead_.reads.round();
    next_.send_now.push_back(beat);
  }
}

void Core::maybe_commit() {
  std::vector<std::uint64_t> held;
  for (const NodeId voter : membership().voters) {
    const auto peer = lead_.peers.find(voter);
    if (voter == config_.id) {
      held.push_back(log_.synced().value);
    } else if (peer != lead_.peers.end()) {
      held.push_back(peer->second.match().value);
    }
  }
  const Index reached{reached_by_majority(std::move(held))};
  if (reached <= hard_.commit()) return;
  // An older term's entry on a majority may still be overwritten (the paper's figure 8): only
  // entries of the own term are committed by counting, the ones before go with them.
  if (log_.term(reached) != hard_.term()) return;
  hard_.commit_to(reached);
  lead_.committed(reached);
  if (!membership().is_voter(config_.id) && history_.latest_index() <= hard_.commit()) {
    feed_peers();  // tell them that the removal is committed, then go
    become_follower(hard_.term(), NodeId{});
  }
}

void Core::answer_append(NodeId to, Index match) {
  auto reply = addressed<AppendResp>(to);
  reply.accepted = true;
  reply.index = match;
  // (6) the leader counts this: it must survive a crash.
  next_.send_after_sync.push_back(reply);
}

Status Core::on(const AppendReq& request) {
  follow(request.from);
  if (request.prev_index < hard_.commit()) {
    answer_append(request.from, hard_.commit());  // old news; what is committed agrees
    return {};
  }
  if (!log_.matches(request.prev_index, request.prev_term)) {
    auto reply = addressed<AppendResp>(request.from);
    reply.index = request.prev_index;
    // Skip all of our entries of later terms than the leader's: none of those can be common.
    reply.hint_index = log_.last_at_or_before(request.prev_index, request.prev_term);
    reply.hint_term = log_.term(reply.hint_index).value_or(Term{});
    next_.send_after_sync.push_back(reply);
    return {};
  }
  const auto fresh = std::find_if(request.entries.begin(), request.entries.end(),
                                  [&](const auto& e) { return !log_.matches(e.index, e.term); });
  if (fresh != request.entries.end()) {
    if (fresh->index <= hard_.commit()) return data_loss("append conflicts with committed entries");
    append_to_log({fresh, request.entries.end()});
  }
  const Index matched = request.prev_index.plus(request.entries.size());
  hard_.commit_to(std::max(hard_.commit(), std::min(request.commit, matched)));
  answer_append(request.from, matched);
  return {};
}

Status Core::on(const AppendResp& reply) {
  if (role_ != Role::kLeader) return {};
  const auto peer = lead_.peers.find(reply.from);
  if (peer == lead_.peers.end()) return {};
  Progress& progress = peer->second;
  progress.active = true;
  if (!reply.accepted) {
    progress.maybe_refuse(reply.index, log_.last_at_or_before(reply.hint_index, reply.hint_term));
    return {};
  }
  if (reply.index > log_.last()) return invalid_argument("acknowledges what was never sent");
  const bool news = progress.maybe_accept(reply.index);
  const bool found =
      progress.state() == PeerState::kProbe && (news || reply.index == progress.match());
  const bool installed =
      progress.state() == PeerState::kSnapshot && progress.match().next() >= log_.first();
  if (found || (news && installed)) progress.become_replicate();
  if (news) maybe_commit();
  if (role_ == Role::kLeader) maybe_finish_transfer(reply.from);
  return {};
}

Status Core::on(const HeartbeatReq& beat) {
  follow(beat.from);
  if (beat.commit > log_.last()) {
    return data_loss("the leader holds an acknowledgement for entries that are not here");
  }
  hard_.commit_to(std::max(hard_.commit(), beat.commit));
  auto reply = addressed<HeartbeatResp>(beat.from);
  reply.round = beat.round;
  next_.send_now.push_back(reply);
  return {};
}

Status Core::on(const HeartbeatResp& reply) {
  if (role_ != Role::kLeader) return {};
  const auto peer = lead_.peers.find(reply.from);
  if (peer == lead_.peers.end()) return {};
  peer->second.active = true;
  peer->second.heard(log_.last(), config_.inflight_max);
  peer->second.read_round = std::max(peer->second.read_round, reply.round);
  maybe_finish_transfer(reply.from);
  return {};
}

Status Core::on(const InstallSnapshot& order) {
  follow(order.from);
  const SnapshotMeta& meta = order.meta;
  if (meta.index <= hard_.commit()) {
    answer_append(order.from, hard_.commit());
    return {};
  }
  if (log_.matches(meta.index, meta.term)) {
    hard_.commit_to(meta.index);
    answer_append(order.from, meta.index);
    return {};
  }
  log_.reset(meta.index, meta.term);
  history_.reset(meta.index, meta.membership);
  hard_.commit_to(meta.index);
  applying_ = applied_ = meta.index;
  next_.install = meta;
  answer_append(order.from, meta.index);
  return {};
}

void Core::report_unreachable(NodeId peer) {
  const auto it = lead_.peers.find(peer);
  if (it == lead_.peers.end() || it->second.state() != PeerState::kReplicate) return;
  it->second.become_probe();
  touched_ = true;
}

void Core::report_snapshot(NodeId peer, bool ok) {
  const auto it = lead_.peers.find(peer);
  if (it == lead_.peers.end()) return;
  it->second.end_snapshot(ok);
  touched_ = true;
}

}  // namespace coracle::raft
