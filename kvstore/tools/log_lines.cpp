#include "storectl/log_lines.hpp"

#include <fmt/format.h>

#include "base/json.hpp"
#include "base/strings.hpp"
#include "disk/file_log.hpp"
#include "raft/membership.hpp"
#include "raft/proposal.pb.h"

namespace coracle::store {
namespace {

std::string change_text(const raft::Entry& entry) {
  const auto change = raft::decode_change(entry.data);
  if (!change.ok()) return "UNREADABLE";
  const std::string who = fmt::format(" member {:x}", change->node.value);
  switch (change->kind) {
    case raft::ChangeKind::kAddVoter:
      return "add" + who;
    case raft::ChangeKind::kAddLearner:
      return "add learner" + who;
    case raft::ChangeKind::kPromote:
      return "promote" + who;
    case raft::ChangeKind::kRemove:
      return "remove" + who;
  }
  return "membership change";
}

std::string what(const raft::Entry& entry) {
  if (entry.kind == raft::EntryKind::kNoop) return "noop (a leader began)";
  if (entry.kind == raft::EntryKind::kConfig) return change_text(entry);
  Proposal p;
  if (!p.ParseFromString(entry.data)) return "UNREADABLE";
  switch (p.op_case()) {
    case Proposal::kPut:
      return "put " + quoted(p.put().key());
    case Proposal::kDeleteRange:
      return "delete " + quoted(p.delete_range().key());
    case Proposal::kTxn:
      return fmt::format("txn if {} then {} else {}", p.txn().compare_size(),
                         p.txn().success_size(), p.txn().failure_size());
    case Proposal::kCompaction:
      return fmt::format("compact {}", p.compaction().revision());
    case Proposal::kLeaseGrant:
      return fmt::format("grant {:016x} ttl {}", p.lease_grant().id(), p.lease_grant().ttl());
    case Proposal::kLeaseRevoke:
      return fmt::format("revoke {:016x}", p.lease_revoke().id());
    case Proposal::kAlarm:
      return "alarm " + etcdserverpb::AlarmType_Name(p.alarm().alarm());
    case Proposal::kPublish:
      return "member " + quoted(p.publish().name());
    default:
      return "unknown";
  }
}

json::object unreadable(const disk::Record& record) {
  json::object out;
  out["offset"] = record.offset;
  out["kind"] = "unreadable";
  return out;
}

json::object record_json(const disk::Record& record) {
  json::object out;
  out["offset"] = record.offset;
  if (record.kind == disk::RecordKind::kReset) {
    out["kind"] = "reset";
    return out;
  }
  if (record.kind == disk::RecordKind::kHardState) {
    const auto state = disk::decode_hard_state(record.payload);
    if (!state.ok()) return unreadable(record);
    out["kind"] = "state";
    out["term"] = state->term().value;
    out["vote"] = fmt::format("{:x}", state->vote().value);
    out["commit"] = state->commit().value;
    return out;
  }
  const auto entry = disk::decode_entry(record.payload);
  if (!entry.ok()) return unreadable(record);
  out["kind"] = "entry";
  out["index"] = entry->index.value;
  out["term"] = entry->term.value;
  out["bytes"] = entry->data.size();
  out["what"] = what(*entry);
  return out;
}

}  // namespace

std::string to_text(const SegmentLine& segment) {
  return fmt::format("{} cluster={:x} member={:x} base={}/{} used={} of {}{}", segment.path,
                     segment.header.identity.cluster, segment.header.identity.member,
                     segment.header.base_index.value, segment.header.base_term.value, segment.used,
                     segment.size, segment.torn ? " TORN TAIL" : "");
}

std::string to_json_line(const SegmentLine& segment) {
  json::object out;
  out["segment"] = segment.path;
  out["cluster"] = fmt::format("{:x}", segment.header.identity.cluster);
  out["member"] = fmt::format("{:x}", segment.header.identity.member);
  out["baseIndex"] = segment.header.base_index.value;
  out["baseTerm"] = segment.header.base_term.value;
  out["used"] = segment.used;
  out["size"] = segment.size;
  out["torn"] = segment.torn;
  return to_json(json::value(std::move(out)));
}

std::string to_text(const disk::Record& record) {
  switch (record.kind) {
    case disk::RecordKind::kHardState: {
      const auto state = disk::decode_hard_state(record.payload);
      if (!state.ok()) break;
      return fmt::format("  {:>9} state  term={} vote={:x} commit={}", record.offset,
                         state->term().value, state->vote().value, state->commit().value);
    }
    case disk::RecordKind::kEntry: {
      const auto entry = disk::decode_entry(record.payload);
      if (!entry.ok()) break;
      return fmt::format("  {:>9} entry  index={} term={} bytes={} {}", record.offset,
                         entry->index.value, entry->term.value, entry->data.size(), what(*entry));
    }
    case disk::RecordKind::kReset:
      return fmt::format("  {:>9} reset  the log continues behind an installed snapshot",
                         record.offset);
  }
  return fmt::format("  {:>9} UNREADABLE", record.offset);
}

std::string to_json_line(const disk::Record& record) {
  return to_json(json::value(record_json(record)));
}

}  // namespace coracle::store
