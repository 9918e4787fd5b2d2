// storectl: looks into the data folder of a stopped member. It changes nothing.
#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <vector>

#include "base/check.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"
#include "disk/file.hpp"
#include "disk/file_log.hpp"
#include "disk/rocks_state_store.hpp"
#include "mvcc/records.hpp"
#include "raft/proposal.pb.h"
#include "storectl/snapshot_commands.hpp"
#include "storectl/status.hpp"

namespace coracle::store {
namespace {

constexpr const char* kHelp =
    R"(storectl: looks into the store: a stopped member's data folder, or running members.

Usage:
  storectl log DIR     the Raft log: a line for each segment, hard state and entry
  storectl keys DIR    every stored version: revision, key, size; deletions are marked
  storectl meta DIR    applied index, compaction, members, alarms (names and sizes)
  storectl status --endpoints A,B,C [--output table|json]
                       running members: who they are, who leads, how far they are
  storectl snapshot save|status|restore FILE ...
                       the whole store as one file, and back (storectl snapshot --help)

DIR is the member's --data-dir. Nothing is changed; damage is reported with file and offset.
)";

std::string describe(const raft::Entry& entry) {
  if (entry.kind == raft::EntryKind::kNoop) return "noop (a leader began)";
  if (entry.kind == raft::EntryKind::kConfig) return "membership change";
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
    case Proposal::OP_NOT_SET:
      break;
  }
  return "unknown";
}

void print_record(const disk::Record& record) {
  switch (record.kind) {
    case disk::RecordKind::kHardState: {
      const auto state = disk::decode_hard_state(record.payload);
      if (!state.ok()) break;
      fmt::print("  {:>9} state  term={} vote={:x} commit={}\n", record.offset, state->term().value,
                 state->vote().value, state->commit().value);
      return;
    }
    case disk::RecordKind::kEntry: {
      const auto entry = disk::decode_entry(record.payload);
      if (!entry.ok()) break;
      fmt::print("  {:>9} entry  index={} term={} bytes={} {}\n", record.offset, entry->index.value,
                 entry->term.value, entry->data.size(), describe(*entry));
      return;
    }
    case disk::RecordKind::kReset:
      fmt::print("  {:>9} reset  the log continues behind an installed snapshot\n", record.offset);
      return;
  }
  fmt::print("  {:>9} UNREADABLE\n", record.offset);
}

Status print_segment(const std::string& path, bool is_last) {
  ASSIGN_OR_RETURN(const disk::File file, disk::File::open(path, disk::File::Mode::kRead));
  ASSIGN_OR_RETURN(const std::uint64_t size, file.size());
  ASSIGN_OR_RETURN(const std::string bytes, file.read(0, size));
  ASSIGN_OR_RETURN(const disk::SegmentHeader header, disk::decode_segment_header(bytes, path));
  ASSIGN_OR_RETURN(const disk::Scan scan, disk::scan_segment(bytes, header, is_last, path));
  fmt::print("{} cluster={:x} member={:x} base={}/{} used={} of {}{}\n", path,
             header.identity.cluster, header.identity.member, header.base_index.value,
             header.base_term.value, scan.end, size, scan.torn ? " TORN TAIL" : "");
  for (const disk::Record& record : scan.records) print_record(record);
  return {};
}

Status print_log(const std::string& dir) {
  ASSIGN_OR_RETURN(std::vector<std::string> names, disk::list_dir(dir + "/log"));
  std::erase_if(names, [](const std::string& name) { return !name.ends_with(".log"); });
  for (const std::string& name : names) {
    RETURN_IF_ERROR(print_segment(dir + "/log/" + name, name == names.back()));
  }
  return {};
}

Status print_keys(const disk::RocksStateStore& state) {
  Status status;
  state.scan(mvcc::Family::kMvcc, "", "", [&](std::string_view key, std::string_view value) {
    const auto ref = mvcc::parse_record_key(key);
    const auto kv = mvcc::decode_kv(value);
    status = ref.ok() ? kv.status() : ref.status();
    if (!status.ok()) return false;
    fmt::print("{}.{} {} {}\n", ref->main, std::uint32_t(ref->sub), quoted(kv->key),
               ref->tombstone != 0
                   ? std::string("deleted")
                   : fmt::format("version={} create={} lease={:x} bytes={}", kv->version,
                                 kv->create.value, kv->lease.value, kv->value.size()));
    return true;
  });
  return status;
}

Status print_meta(const disk::RocksStateStore& state) {
  state.scan(mvcc::Family::kMeta, "", "", [&](std::string_view key, std::string_view value) {
    if (key == "applied" && value.size() == 16) {
      fmt::print("applied index={} term={}\n", disk::get_u64(value, 0), disk::get_u64(value, 8));
    } else {
      fmt::print("{} bytes={}\n", key, value.size());
    }
    return true;
  });
  return {};
}

Status with_state(const std::string& dir, Status (*print)(const disk::RocksStateStore&)) {
  ASSIGN_OR_RETURN(const auto state, disk::RocksStateStore::open(dir + "/state", true));
  return print(*state);
}

int run(const std::vector<std::string>& args) {
  if (args.empty() || args[0] == "--help" || args[0] == "-h" || args[0] == "help") {
    fmt::print("{}", kHelp);
    return args.empty() ? 2 : 0;
  }
  if (args[0] == "snapshot") return run_snapshot({args.begin() + 1, args.end()});
  if (args[0] == "status") return run_status({args.begin() + 1, args.end()});
  if (args[0] != "log" && args[0] != "keys" && args[0] != "meta") {
    fail_startup("unknown command " + quoted(args[0]) + " (storectl --help lists them)");
  }
  if (args.size() != 2) fail_startup(args[0] + ": needs the member's data folder, and only that");
  Status status;
  if (args[0] == "log") status = print_log(args[1]);
  if (args[0] == "keys") status = with_state(args[1], print_keys);
  if (args[0] == "meta") status = with_state(args[1], print_meta);
  if (status.ok()) return 0;
  std::fflush(stdout);
  fmt::print(stderr, "storectl: {}\n", status.message());
  return 1;
}

}  // namespace
}  // namespace coracle::store

int main(int argc, char** argv) {
  coracle::log::init("storectl");
  return coracle::store::run({argv + 1, argv + argc});
}
