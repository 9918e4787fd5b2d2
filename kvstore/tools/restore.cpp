#include "storectl/restore.hpp"

#include <filesystem>

#include "disk/file.hpp"
#include "disk/file_log.hpp"
#include "disk/rocks_state_store.hpp"
#include "member/data_folder.hpp"
#include "member/founding.hpp"
#include "member/state_machine.hpp"

namespace coracle::store {
namespace {

using mvcc::Family;

constexpr size_t kReadBytes = 1 << 20;
constexpr size_t kBatchBytes = 1 << 20;
constexpr AppliedMark kBeginning{Index(1), Term(1)};

// The driver's own records in the meta family are of the old cluster; mvcc's are of the keys.
bool survives(Family family, std::string_view key) {
  return family != Family::kMeta || key.starts_with("mvcc/");
}

Status check_free(const std::string& data_dir) {
  if (!disk::exists(data_dir)) return {};
  ASSIGN_OR_RETURN(const auto names, disk::list_dir(data_dir));
  if (names.empty()) return {};
  return failed_precondition("data-dir \"" + data_dir +
                             "\" is not empty; a restore makes a new member");
}

Status write_log(const std::string& folder, const disk::Identity& identity) {
  disk::LogImage image;
  ASSIGN_OR_RETURN(const auto log, disk::FileLog::open(folder + "/log", identity, {}, &image));
  RETURN_IF_ERROR(log->reset(kBeginning.index, kBeginning.term));
  return log->append(raft::HardState(kBeginning.term, NodeId(0), kBeginning.index), {});
}

Result<disk::SnapshotSummary> write_state(const std::string& path, bool skip_hash,
                                          const MemberConfig& member, const std::string& folder) {
  ASSIGN_OR_RETURN(const auto state, disk::RocksStateStore::open(state_folder(folder)));
  mvcc::WriteBatch batch;
  const auto visit = [&](Family family, std::string_view key, std::string_view value) {
    if (survives(family, key)) batch.put(family, std::string(key), std::string(value));
    if (batch.bytes() >= kBatchBytes) {
      state->write(batch);
      batch.clear();
    }
    return Status();
  };
  ASSIGN_OR_RETURN(const auto summary, read_snapshot(path, skip_hash, visit));
  state->write(batch);
  found_cluster(*state, member, kBeginning);
  // The member will open it so; whatever is wrong with it shall be said now.
  const auto machine = StateMachine::open(*state, lease::LessorConfig{});
  RETURN_IF_ERROR(machine.status().with_context(path));
  if ((*machine)->store().revision() != summary.info.revision) {
    return data_loss(path + ": its keys end at another revision than it says");
  }
  RETURN_IF_ERROR(state->flush());
  return summary;
}

Result<disk::SnapshotSummary> make_folder(const std::string& path, bool skip_hash,
                                          const MemberConfig& member, const std::string& folder) {
  RETURN_IF_ERROR(disk::make_dirs(folder));
  ASSIGN_OR_RETURN(const auto summary, write_state(path, skip_hash, member, folder));
  RETURN_IF_ERROR(write_log(folder, identity_of(member)));
  RETURN_IF_ERROR(disk::sync_dir(folder));
  ASSIGN_OR_RETURN(disk::File made, disk::File::open(folder, disk::File::Mode::kRead));
  RETURN_IF_ERROR(made.rename_to(member.data_dir));
  const std::string parent = std::filesystem::path(member.data_dir).parent_path();
  RETURN_IF_ERROR(disk::sync_dir(parent.empty() ? "." : parent));
  return summary;
}

}  // namespace

Result<disk::SnapshotSummary> read_snapshot(const std::string& path, bool skip_hash,
                                            const disk::SnapshotDecoder::Visit& visit) {
  ASSIGN_OR_RETURN(const disk::File file, disk::File::open(path, disk::File::Mode::kRead));
  ASSIGN_OR_RETURN(const std::uint64_t size, file.size());
  disk::SnapshotDecoder decoder(visit, skip_hash);
  for (std::uint64_t at = 0; at < size; at += kReadBytes) {
    const size_t step = std::min<std::uint64_t>(kReadBytes, size - at);
    ASSIGN_OR_RETURN(const std::string part, file.read(at, step));
    RETURN_IF_ERROR(decoder.feed(part).with_context(path));
  }
  auto summary = decoder.finish();
  RETURN_IF_ERROR(summary.status().with_context(path));
  return summary;
}

Result<disk::SnapshotSummary> restore_snapshot(const std::string& path, bool skip_hash,
                                               const MemberConfig& member) {
  RETURN_IF_ERROR(check_free(member.data_dir));
  const std::string folder = member.data_dir + ".restoring";
  if (disk::exists(folder)) {
    return failed_precondition(folder +
                               " is there: another restore runs, or one was cut short "
                               "(remove the folder then)");
  }
  auto summary = make_folder(path, skip_hash, member, folder);
  if (!summary.ok()) (void)disk::remove_tree(folder);
  return summary;
}

}  // namespace coracle::store
