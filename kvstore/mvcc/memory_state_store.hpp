// MemoryStateStore: the StateStore of tests and of the simulated world. Honest about crashes:
// write() is volatile until flush(), and crash() falls back to the last flush, as RocksDB without
// its own log does.
#pragma once

#include <array>
#include <map>

#include "mvcc/state_store.hpp"

namespace coracle::mvcc {

class MemoryStateStore final : public StateStore {
 public:
  std::optional<std::string> get(Family family, std::string_view key) const override;
  void scan(Family family, std::string_view begin, std::string_view end,
            const ScanVisitor& visit) const override;
  void write(const WriteBatch& batch) override;
  // As write(); returns what takes it back.
  WriteBatch write_undoable(const WriteBatch& batch);
  std::unique_ptr<StateSnapshot> snapshot() const override;

  void flush() { durable_ = now_; }
  void crash() { now_ = durable_; }
  friend bool operator==(const MemoryStateStore& a, const MemoryStateStore& b) {
    return a.now_ == b.now_;
  }

 private:
  using Families = std::array<std::map<std::string, std::string, std::less<>>, kFamilies>;
  Families now_;
  Families durable_;
};

}  // namespace coracle::mvcc
