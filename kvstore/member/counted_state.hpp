// CountedState: a state that counts what is read of it, so that people see how far a snapshot to
// another member has come.
// Thread: read by one thread, as any StateSnapshot; the counts may be looked at by another.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "base/ids.hpp"
#include "mvcc/state_store.hpp"

namespace coracle::store {

struct SnapshotProgress {
  Index index;                         // the entry the state is as of
  std::uint64_t about_bytes = 0;       // keys and values, when it began
  std::atomic<std::uint64_t> bytes{};  // of those, handed out
};

class CountedState final : public mvcc::StateSnapshot {
 public:
  CountedState(std::unique_ptr<mvcc::StateSnapshot> state,
               std::shared_ptr<SnapshotProgress> progress)
      : state_(std::move(state)), progress_(std::move(progress)) {}

  std::optional<std::string> get(mvcc::Family family, std::string_view key) const override {
    return state_->get(family, key);
  }
  void scan(mvcc::Family family, std::string_view begin, std::string_view end,
            const mvcc::ScanVisitor& visit) const override {
    state_->scan(family, begin, end, [&](std::string_view key, std::string_view value) {
      progress_->bytes.fetch_add(key.size() + value.size(), std::memory_order_relaxed);
      return visit(key, value);
    });
  }

 private:
  const std::unique_ptr<mvcc::StateSnapshot> state_;
  const std::shared_ptr<SnapshotProgress> progress_;
};

}  // namespace coracle::store
