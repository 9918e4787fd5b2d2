#include "web/raft_page.hpp"

#include <fmt/format.h>

#include <cstdlib>

namespace coracle::store {
namespace {

constexpr size_t kHeldShown = 20;

std::string hex(std::uint64_t id) { return fmt::format("{:x}", id); }

std::int64_t us(Duration duration) {
  return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

json::value name_or_null(Member& member, NodeId id) {
  if (id == NodeId(0)) return nullptr;
  return json::value(name_of(member, id));
}

// What changes all the time.
json::object state_of(Member& member, const raft::StatusReport& report) {
  json::object out;
  out["role"] = raft::name_of(report.role);
  out["term"] = report.term.value;
  out["vote"] = name_or_null(member, report.vote);
  out["leader"] = name_or_null(member, report.leader);
  json::object log;
  log["first"] = report.first.value;
  log["last"] = report.last.value;
  log["synced"] = report.synced.value;
  log["commit"] = report.commit.value;
  log["applied"] = report.applied.value;
  out["log"] = std::move(log);
  json::array peers;
  for (const auto& [peer, progress] : report.peers) {
    json::object row;
    row["name"] = name_of(member, peer);
    row["state"] = raft::name_of(progress.state);
    row["match"] = progress.match.value;
    row["next"] = progress.next.value;
    row["inflight"] = progress.inflight;
    row["active"] = progress.active;
    row["learner"] = progress.learner;
    peers.emplace_back(std::move(row));
  }
  out["peers"] = std::move(peers);
  return out;
}

json::array members_of(Member& member) {
  json::array out;
  for (const auto& [id, known] : member.machine().members()) {
    json::object row;
    row["id"] = hex(id.value);
    row["name"] = name_of(member, id);
    row["self"] = id == member.id();
    row["voter"] = member.core().membership().is_voter(id);
    json::array urls;
    for (const std::string& url : known.peerurls()) urls.emplace_back(url);
    row["peerURLs"] = std::move(urls);
    out.emplace_back(std::move(row));
  }
  return out;
}

json::array elections_of(Member& member) {
  json::array out;
  for (const Election& election : member.inside.observer.elections()) {
    json::object row;
    row["time"] = format_micro_time(election.at);
    row["term"] = election.report.term.value;
    row["pre"] = election.report.pre;
    row["cause"] = raft::name_of(election.report.cause);
    row["outcome"] = raft::name_of(election.report.outcome);
    json::object votes;
    for (const auto& [voter, reason] : election.report.votes) {
      votes[name_of(member, voter)] = raft::name_of(reason);
    }
    row["votes"] = std::move(votes);
    out.emplace_back(std::move(row));
  }
  return out;
}

json::object event_json(Member& member, const RaftEvent& event) {
  json::object out;
  out["number"] = event.number;
  out["time"] = format_micro_time(event.at);
  out["kind"] = event.kind;
  out["term"] = event.term.value;
  if (event.peer != NodeId(0)) out["peer"] = name_of(member, event.peer);
  out["text"] = event.text;
  return out;
}

json::array events_of(Member& member, std::string_view kind) {
  json::array out;
  for (const RaftEvent& event : member.inside.observer.events_after(0)) {
    if (event.kind == kind) out.emplace_back(event_json(member, event));
  }
  return out;
}

json::array sending_of(Member& member, const raft::StatusReport& report) {
  json::array out;
  for (const auto& [peer, progress] : member.inside.sending) {
    const auto fed = report.peers.find(peer);
    if (fed == report.peers.end() || fed->second.state != raft::PeerState::kSnapshot) continue;
    json::object row;
    row["to"] = name_of(member, peer);
    row["entry"] = progress->index.value;
    row["bytes"] = progress->bytes.load();
    row["aboutBytes"] = progress->about_bytes;
    out.emplace_back(std::move(row));
  }
  return out;
}

json::object syncs_of(const SyncTimes& syncs) {
  json::object out;
  out["count"] = syncs.count;
  out["last_us"] = us(syncs.last);
  out["longest_us"] = us(syncs.longest);
  out["mean_us"] = syncs.count == 0 ? 0 : us(syncs.sum) / std::int64_t(syncs.count);
  return out;
}

json::object store_of(Member& member) {
  const mvcc::Store& store = member.machine().store();
  json::object out;
  out["revision"] = store.revision().value;
  out["compacted"] = store.compacted().value;
  out["keys"] = store.live_keys();
  out["bytes"] = member.db_bytes();
  out["bytesInUse"] = store.bytes_in_use();
  out["pendingProposals"] = member.pending_proposals();
  return out;
}

json::object teaching_of(Member& member) {
  const Classroom& room = member.inside.classroom;
  json::object out;
  out["on"] = member.options().teaching;
  out["paused"] = room.paused();
  json::array cut, held;
  for (const NodeId peer : room.cuts()) cut.emplace_back(name_of(member, peer));
  for (const raft::Message& message : room.held()) {
    if (held.size() == kHeldShown) break;
    held.emplace_back(name_of(member, raft::header_of(message).from) + ": " + describe(message));
  }
  out["cutFrom"] = std::move(cut);
  out["waiting"] = room.held().size();
  out["next"] = std::move(held);
  out["dropped"] = room.dropped();
  return out;
}

}  // namespace

std::string name_of(Member& member, NodeId id) {
  const auto found = member.machine().members().find(id);
  if (found == member.machine().members().end() || found->second.name().empty()) {
    return hex(id.value);
  }
  return found->second.name();
}

Result<NodeId> find_member(Member& member, const std::string& text) {
  for (const auto& [id, known] : member.machine().members()) {
    if (known.name() == text || hex(id.value) == text) return id;
  }
  return not_found("there is no member of that name or id");
}

json::object raft_page(Member& member) {
  const raft::StatusReport report = member.core().status();
  json::object out;
  out["name"] = member.options().name;
  out["id"] = hex(member.id().value);
  out["cluster"] = hex(member.identity().cluster);
  for (auto& [key, value] : state_of(member, report)) out[key] = value;
  out["members"] = members_of(member);
  out["elections"] = elections_of(member);
  out["votes"] = events_of(member, "vote");
  out["snapshots"] = events_of(member, "snapshot");
  out["sending"] = sending_of(member, report);
  out["syncs"] = syncs_of(member.inside.observer.syncs);
  json::object timing;
  timing["heartbeat_ms"] = us(member.inside.heartbeat) / 1000;
  timing["election_ms"] = us(member.inside.election) / 1000;
  out["timing"] = std::move(timing);
  out["store"] = store_of(member);
  out["teaching"] = teaching_of(member);
  return out;
}

std::string raft_events(Member& member, std::uint64_t* number, std::string* last_state) {
  std::string out;
  for (const RaftEvent& event : member.inside.observer.events_after(*number)) {
    out += fmt::format("id: {}\nevent: {}\ndata: {}\n\n", event.number, event.kind,
                       to_json(json::value(event_json(member, event))));
    *number = event.number;
  }
  std::string state = to_json(json::value(state_of(member, member.core().status())));
  if (state == *last_state) return out;
  out += "event: state\ndata: " + state + "\n\n";
  *last_state = std::move(state);
  return out;
}

}  // namespace coracle::store
