// StateStore: the port under the replicated state: ordered byte keys in three column families.
//
// Ends:     memory_state_store.hpp (tests, simulated world), disk/ (RocksDB, its own log off).
//           Both run state_store_conformance.hpp.
// Thread:   the store's strand only, but a StateSnapshot may be read by one other thread.
// Atomic:   write() applies all operations of a batch in order, or none; what it wrote is seen by
//           every later get and scan. It promises no durability: after a crash the state is that
//           of some earlier write(), never a part of one, and the Raft log is replayed from the
//           applied index that lies in the same batch.
// Errors:   none are returned: an end whose disk fails stops the process (it cannot go on).
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coracle::mvcc {

// kMvcc: records.hpp. kLease: lease/. kMeta: small facts; keys "mvcc/..." are the Store's, all
// other keys (applied index, membership, alarms) the driver's.
enum class Family : std::uint8_t { kMvcc = 0, kLease = 1, kMeta = 2 };
inline constexpr int kFamilies = 3;

// Operations to be applied in order and at once. Move-only, as it may hold megabytes.
class WriteBatch {
 public:
  struct Op {
    enum class Kind : std::uint8_t { kPut, kErase, kEraseRange };
    Kind kind = Kind::kPut;
    Family family = Family::kMvcc;
    std::string key;    // kEraseRange: first key
    std::string value;  // kEraseRange: end, exclusive; empty = to the end of the family
  };

  WriteBatch() = default;
  WriteBatch(WriteBatch&&) = default;
  WriteBatch& operator=(WriteBatch&&) = default;

  void put(Family family, std::string key, std::string value) {
    bytes_ += key.size() + value.size();
    ops_.push_back({Op::Kind::kPut, family, std::move(key), std::move(value)});
  }
  void erase(Family family, std::string key) {
    bytes_ += key.size();
    ops_.push_back({Op::Kind::kErase, family, std::move(key), {}});
  }
  void erase_range(Family family, std::string begin, std::string end) {
    ops_.push_back({Op::Kind::kEraseRange, family, std::move(begin), std::move(end)});
  }

  // The last operation first.
  void reverse() { std::reverse(ops_.begin(), ops_.end()); }

  const std::vector<Op>& ops() const { return ops_; }
  bool empty() const { return ops_.empty(); }
  std::size_t bytes() const { return bytes_; }
  void clear() {
    ops_.clear();
    bytes_ = 0;
  }

 private:
  std::vector<Op> ops_;
  std::size_t bytes_ = 0;
};

// Returns false to stop. The views live until it returns.
using ScanVisitor = std::function<bool(std::string_view key, std::string_view value)>;

class StateReader {
 public:
  virtual ~StateReader() = default;
  virtual std::optional<std::string> get(Family family, std::string_view key) const = 0;
  // Ascending over begin <= key < end; an empty end means to the end of the family. The visitor
  // must not write.
  virtual void scan(Family family, std::string_view begin, std::string_view end,
                    const ScanVisitor& visit) const = 0;
};

// Everything as it was when the snapshot was taken, whatever is written later.
using StateSnapshot = StateReader;

class StateStore : public StateReader {
 public:
  virtual void write(const WriteBatch& batch) = 0;
  virtual std::unique_ptr<StateSnapshot> snapshot() const = 0;
};

}  // namespace coracle::mvcc
