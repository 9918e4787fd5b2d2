// RocksStateStore: the StateStore on a disk. RocksDB's own log is off: after a crash the state is
// as of some earlier flush of all families together, and the Raft log is replayed from there.
//
// Thread:  as the port says; flush() may run on another thread beside the strand.
// Memory:  two small write buffers and a small block cache; the values a store serves come from the
//          page cache behind it.
// Errors:  open() says what is wrong. Later a failing disk stops the process (fatal_disk_error).
#pragma once

#include <memory>
#include <string>

#include "base/status.hpp"
#include "disk/durable_state.hpp"

namespace rocksdb {
class ColumnFamilyHandle;
class DB;
}  // namespace rocksdb

namespace coracle::disk {

class RocksStateStore final : public DurableState {
 public:
  // Makes the folder if it is missing.
  static Result<std::unique_ptr<RocksStateStore>> open(const std::string& folder,
                                                       bool read_only = false);
  ~RocksStateStore() override;

  std::optional<std::string> get(mvcc::Family family, std::string_view key) const override;
  void scan(mvcc::Family family, std::string_view begin, std::string_view end,
            const mvcc::ScanVisitor& visit) const override;
  void write(const mvcc::WriteBatch& batch) override;
  std::unique_ptr<mvcc::StateSnapshot> snapshot() const override;

  Status flush() override;
  void compact() override;  // rewrites the files
  std::uint64_t bytes_on_disk() const override;

 private:
  struct Impl;
  explicit RocksStateStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Says what failed and ends the process with 1: going on would be to lie about durability. For the
// log and the state alike.
[[noreturn]] void fatal_disk_error(const Status& status);

}  // namespace coracle::disk
