#include "disk/rocks_state_store.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <unistd.h>

#include <array>
#include <vector>

#include "base/log.hpp"
#include "disk/file.hpp"

namespace coracle::disk {
namespace {

using mvcc::Family;
using mvcc::ScanVisitor;
using mvcc::WriteBatch;

constexpr std::array<const char*, mvcc::kFamilies> kNames = {"default", "leases", "meta"};
constexpr size_t kMvccBufferBytes = 8 << 20;
constexpr size_t kSmallBufferBytes = 1 << 20;
constexpr size_t kBlockCacheBytes = 8 << 20;
const std::string kEndOfFamily(64, '\xff');  // no key of ours comes near it

rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }
std::string_view view(const rocksdb::Slice& s) { return {s.data(), s.size()}; }

Status from(const rocksdb::Status& status, const std::string& folder) {
  if (status.ok()) return {};
  const std::string text = folder + ": " + status.ToString();
  if (status.IsCorruption()) return data_loss(text);
  if (status.IsNoSpace()) return {Code::kResourceExhausted, text};
  if (text.find("Permission denied") != std::string::npos) return {Code::kPermissionDenied, text};
  if (status.IsIOError() && text.find("lock") != std::string::npos)
    return failed_precondition(text);
  return internal_error(text);
}

rocksdb::DBOptions db_options() {
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.atomic_flush = true;
  options.max_background_jobs = 2;
  options.max_open_files = 64;
  options.keep_log_file_num = 2;
  options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  options.bytes_per_sync = 1 << 20;  // many megabytes at once would hold up the log's syncs
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.max_manifest_file_size = 4 << 20;
  options.paranoid_checks = true;
  return options;
}

rocksdb::ColumnFamilyOptions family_options(size_t buffer_bytes,
                                            const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions options;
  options.write_buffer_size = buffer_bytes;
  options.max_write_buffer_number = 3;
  options.compression = rocksdb::kLZ4Compression;
  options.level_compaction_dynamic_level_bytes = true;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.cache_index_and_filter_blocks = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

}  // namespace

[[noreturn]] void fatal_disk_error(const Status& status) {
  log::error("the disk failed; stopping, since nothing more can be promised: {}", status.message());
  log::flush();
  ::_exit(1);
}

struct RocksStateStore::Impl {
  std::string folder;
  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;

  ~Impl() {
    for (auto* handle : handles) (void)db->DestroyColumnFamilyHandle(handle);
  }

  rocksdb::ColumnFamilyHandle* of(Family family) const { return handles[size_t(family)]; }

  void must(const rocksdb::Status& status) const {
    if (!status.ok()) fatal_disk_error(from(status, folder));
  }

  std::optional<std::string> get(const rocksdb::ReadOptions& options, Family family,
                                 std::string_view key) const {
    std::string value;
    const rocksdb::Status status = db->Get(options, of(family), slice(key), &value);
    if (status.IsNotFound()) return std::nullopt;
    must(status);
    return value;
  }

  void scan(rocksdb::ReadOptions options, Family family, std::string_view begin,
            std::string_view end, const ScanVisitor& visit) const {
    const rocksdb::Slice upper = slice(end);
    if (!end.empty()) options.iterate_upper_bound = &upper;
    const std::unique_ptr<rocksdb::Iterator> it(db->NewIterator(options, of(family)));
    for (it->Seek(slice(begin)); it->Valid(); it->Next()) {
      if (!visit(view(it->key()), view(it->value()))) return;
    }
    must(it->status());
  }
};

namespace {

// Holds RocksDB's snapshot; the store outlives it.
template <class Impl>
class RocksSnapshot final : public mvcc::StateSnapshot {
 public:
  explicit RocksSnapshot(const Impl* impl) : impl_(impl), snapshot_(impl->db->GetSnapshot()) {}
  ~RocksSnapshot() override { impl_->db->ReleaseSnapshot(snapshot_); }

  std::optional<std::string> get(Family family, std::string_view key) const override {
    return impl_->get(options(), family, key);
  }
  void scan(Family family, std::string_view begin, std::string_view end,
            const ScanVisitor& visit) const override {
    impl_->scan(options(), family, begin, end, visit);
  }

 private:
  rocksdb::ReadOptions options() const {
    rocksdb::ReadOptions options;
    options.snapshot = snapshot_;
    options.fill_cache = false;
    return options;
  }

  const Impl* impl_;
  const rocksdb::Snapshot* snapshot_;
};

}  // namespace

RocksStateStore::RocksStateStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RocksStateStore::~RocksStateStore() = default;

Result<std::unique_ptr<RocksStateStore>> RocksStateStore::open(const std::string& folder,
                                                               bool read_only) {
  if (!read_only) RETURN_IF_ERROR(make_dirs(folder));
  const auto cache = rocksdb::NewLRUCache(kBlockCacheBytes, 2);
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (int i = 0; i < mvcc::kFamilies; ++i) {
    families.emplace_back(kNames[size_t(i)],
                          family_options(i == 0 ? kMvccBufferBytes : kSmallBufferBytes, cache));
  }
  auto impl = std::make_unique<Impl>();
  impl->folder = folder;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status =
      read_only ? rocksdb::DB::OpenForReadOnly(db_options(), folder, families, &impl->handles, &db)
                : rocksdb::DB::Open(db_options(), folder, families, &impl->handles, &db);
  RETURN_IF_ERROR(from(status, folder));
  impl->db.reset(db);
  return std::unique_ptr<RocksStateStore>(new RocksStateStore(std::move(impl)));
}

std::optional<std::string> RocksStateStore::get(Family family, std::string_view key) const {
  return impl_->get({}, family, key);
}

void RocksStateStore::scan(Family family, std::string_view begin, std::string_view end,
                           const ScanVisitor& visit) const {
  impl_->scan({}, family, begin, end, visit);
}

void RocksStateStore::write(const WriteBatch& batch) {
  rocksdb::WriteBatch out(batch.bytes() + 64 * batch.ops().size());
  for (const WriteBatch::Op& op : batch.ops()) {
    rocksdb::ColumnFamilyHandle* family = impl_->of(op.family);
    switch (op.kind) {
      case WriteBatch::Op::Kind::kPut:
        impl_->must(out.Put(family, op.key, op.value));
        break;
      case WriteBatch::Op::Kind::kErase:
        impl_->must(out.Delete(family, op.key));
        break;
      case WriteBatch::Op::Kind::kEraseRange: {
        const std::string& end = op.value.empty() ? kEndOfFamily : op.value;
        if (op.key < end) impl_->must(out.DeleteRange(family, op.key, end));
        break;
      }
    }
  }
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  impl_->must(impl_->db->Write(options, &out));
}

std::unique_ptr<mvcc::StateSnapshot> RocksStateStore::snapshot() const {
  return std::make_unique<RocksSnapshot<Impl>>(impl_.get());
}

Status RocksStateStore::flush() {
  rocksdb::FlushOptions options;
  options.allow_write_stall = true;
  return from(impl_->db->Flush(options, impl_->handles), impl_->folder);
}

void RocksStateStore::compact() {
  rocksdb::CompactRangeOptions options;
  // The last level too: what was erased there since may still lie in it.
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  for (auto* handle : impl_->handles) {
    const rocksdb::Status status = impl_->db->CompactRange(options, handle, nullptr, nullptr);
    if (status.IsNoSpace()) {  // the old files are as good as they were
      log::warn("no room to rewrite the files of {}: {}", impl_->folder, status.ToString());
      return;
    }
    impl_->must(status);
  }
}

std::uint64_t RocksStateStore::bytes_on_disk() const {
  std::uint64_t total = 0, bytes = 0;
  for (auto* handle : impl_->handles) {
    if (impl_->db->GetIntProperty(handle, "rocksdb.total-sst-files-size", &bytes)) total += bytes;
    if (impl_->db->GetIntProperty(handle, "rocksdb.cur-size-all-mem-tables", &bytes))
      total += bytes;
  }
  return total;
}

}  // namespace coracle::disk
