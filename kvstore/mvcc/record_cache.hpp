// RecordCache: the wire bytes of the records that were written or read last, so that most reads
// need not search the StateStore.
//
// Thread:    one owner; the records themselves may be shared with others.
// Invariant: a record is found only under the revision it was put with, and never changes.
// Bound:     `max_bytes` of records and their share of the table; the ones unused longest go.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>

#include "mvcc/key_index.hpp"

namespace coracle::mvcc {

using Record = std::shared_ptr<const std::string>;

class RecordCache {
 public:
  // Counted for each record besides its bytes: the table, the list, two allocations.
  static constexpr std::size_t kOverheadBytes = 128;

  explicit RecordCache(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  // Null if it is not here.
  Record find(const VersionRef& ref);
  void put(const VersionRef& ref, Record record);
  std::size_t bytes() const { return bytes_; }

 private:
  struct Id {
    std::int64_t main = 0;
    std::uint32_t sub = 0;
    friend bool operator==(const Id&, const Id&) = default;
  };
  struct Hash {
    std::size_t operator()(const Id& id) const {
      return (static_cast<std::uint64_t>(id.main) * 31 + id.sub) * 0x9e3779b97f4a7c15u;
    }
  };
  struct Slot {
    Record record;
    bool used = false;  // since it was looked at for removal
  };

  void make_room();

  const std::size_t max_bytes_;
  std::size_t bytes_ = 0;
  std::unordered_map<Id, Slot, Hash> slots_;
  std::deque<Id> order_;  // oldest first; used ones get another round
};

}  // namespace coracle::mvcc
