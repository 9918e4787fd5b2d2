#include "raft_sim/checker.hpp"

#include <algorithm>
#include <sstream>

namespace coracle::raft_sim {
namespace {

std::uint64_t mix(std::uint64_t hash, std::string_view bytes) {
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

std::uint64_t extend(std::uint64_t prefix, const raft::Entry& e) {
  prefix = mix(prefix, std::to_string(e.term.value));
  prefix = mix(prefix, e.kind == raft::EntryKind::kNormal ? " n " : " c ");
  return mix(prefix, e.data) + 1;
}

template <class... Parts>
std::string text(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

}  // namespace

void RaftChecker::fail(std::string what) {
  if (failure_.empty()) failure_ = std::move(what);
}

void RaftChecker::on_append(NodeId member, const std::vector<raft::Entry>& entries,
                            const raft::LogView& log) {
  if (entries.empty()) return;
  const Index before = entries.front().index.prev();
  std::uint64_t prefix = before == Index{} ? 1 : prefixes_[{before, log.term(before)}];
  for (const raft::Entry& e : entries) {
    prefix = extend(prefix, e);
    const auto [known, fresh] = prefixes_.try_emplace({e.index, e.term}, prefix);
    if (!fresh && known->second != prefix) {
      fail(text("log matching: n", member, " has another log up to entry ", e.index, " of term ",
                e.term));
    }
    if (e.index.value <= committed_.size() && committed_[e.index.value - 1].term != e.term &&
        commits_[member] >= e.index) {
      fail(text("n", member, " overwrites committed entry ", e.index));
    }
  }
}

void RaftChecker::check_leader(NodeId member, const raft::Core& core, const raft::LogView& log) {
  const auto [leader, fresh] = leaders_.try_emplace(core.term(), member);
  if (leader->second != member) {
    fail(text("two leaders in term ", core.term(), " (n", leader->second, ", n", member, ")"));
  }
  if (!fresh) return;
  for (Index i = log.first(); i.value <= committed_.size(); i = i.next()) {
    const Committed& c = committed_[i.value - 1];
    if (c.committed_in >= core.term()) continue;
    if (i > log.last() || log.term(i) != c.term) {
      fail(text("leader completeness: n", member, " leads term ", core.term(),
                " without committed entry ", i, " of term ", c.term));
      return;
    }
  }
}

void RaftChecker::note_committed(NodeId member, Index upto, Term term, const raft::LogView& log) {
  for (Index i = std::max(log.first(), commits_[member].next()); i <= upto; i = i.next()) {
    const raft::Entry e = log.slice(i, i, 1).front();
    if (i.value > committed_.size() + 1) {
      fail(text("n", member, " commits ", i, " but nobody committed the one before"));
      return;
    }
    if (i.value == committed_.size() + 1) {
      committed_.push_back({e.term, e.data, term});
      continue;
    }
    Committed& c = committed_[i.value - 1];
    c.committed_in = std::min(c.committed_in, term);
    if (c.term != e.term || c.data != e.data) {
      fail(text("committed entry ", i, " of term ", c.term, " is lost: n", member,
                " committed one of term ", e.term, " there"));
    }
  }
}

void RaftChecker::on_state(NodeId member, const raft::Core& core, const raft::LogView& log) {
  if (core.commit() < commits_[member]) {
    fail(text("n", member, " commit fell from ", commits_[member], " to ", core.commit()));
  }
  if (core.commit() > commits_[member]) {
    // Figure 8 of the paper: counting may end only at an entry of the leader's own term.
    if (core.role() == raft::Role::kLeader && log.term(core.commit()) != core.term()) {
      fail(text("n", member, " leads term ", core.term(), " and commits up to entry ",
                core.commit(), " of term ", log.term(core.commit())));
    }
    note_committed(member, core.commit(), core.term(), log);
    commits_[member] = core.commit();
  }
  if (core.role() == raft::Role::kLeader) check_leader(member, core, log);
  core.check_invariants();
}

void RaftChecker::on_restart(NodeId member, const raft::LogView& log) {
  // The stored commit index is a hint; what was compacted away is committed for sure.
  commits_[member] = log.first().prev();
}

void RaftChecker::on_send(NodeId member, const raft::Message& message,
                          const DurableImage& durable) {
  const raft::Header& header = raft::header_of(message);
  const raft::HardState& hard = durable.hard_state;
  NodeId candidate;
  if (const auto* vote = std::get_if<raft::VoteResp>(&message)) {
    if (!vote->pre && vote->reason == raft::VoteReason::kGranted) candidate = header.to;
  } else if (const auto* request = std::get_if<raft::VoteReq>(&message)) {
    if (!request->pre) candidate = member;
  } else if (const auto* ack = std::get_if<raft::AppendResp>(&message)) {
    if (ack->accepted && durable.log.last() < ack->index && hard.term() <= header.term) {
      fail(text("n", member, " acknowledges ", ack->index, " but holds ", durable.log.last()));
    }
  }
  if (candidate == NodeId{}) return;
  const auto [cast, fresh] = votes_.try_emplace({member, header.term}, candidate);
  if (cast->second != candidate) {
    fail(text("n", member, " votes for n", cast->second, " and n", candidate, " in term ",
              header.term));
  }
  const bool kept =
      hard.term() > header.term || (hard.term() == header.term && hard.vote() == candidate);
  if (!kept) fail(text("n", member, " sends a vote of term ", header.term, " it did not sync"));
}

void RaftChecker::on_applied(NodeId member, const raft::Entry& entry,
                             std::optional<Revision> revision) {
  const std::size_t at = entry.index.value - 1;
  if (at >= committed_.size() || committed_[at].term != entry.term ||
      committed_[at].data != entry.data) {
    fail(text("n", member, " applies ", entry.index, " which is not what was committed"));
    return;
  }
  if (!revision) return;
  const auto [owner, fresh] = revision_owners_.try_emplace(*revision, entry.index);
  if (owner->second != entry.index) {
    fail(text("revision ", *revision, " is used by entries ", owner->second, " and ", entry.index));
  }
}

void RaftChecker::on_bad_status(NodeId member, const Status& status) {
  fail(text("n", member, " refuses a message: ", status.to_string()));
}

void RaftChecker::on_write_acknowledged(std::uint64_t id, Revision revision,
                                        Revision floor_at_start) {
  if (revision <= floor_at_start) {
    fail(text("write ", id, " got revision ", revision, " but ", floor_at_start,
              " was seen before it started"));
  }
  floor_ = std::max(floor_, revision);
}

void RaftChecker::on_read_answered(std::uint64_t id, Revision state, Revision floor_at_start) {
  if (state < floor_at_start) {
    fail(text("stale read ", id, ": the state is at revision ", state, " but ", floor_at_start,
              " was acknowledged before it started"));
  }
  floor_ = std::max(floor_, state);
}

}  // namespace coracle::raft_sim
