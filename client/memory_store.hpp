// MemoryStore: a Store in this process, with etcd's semantics: revisions, history until compacted,
// watches from an old revision, leases on the Executor's clock. For unit tests and the simulated
// world; it passes the same conformance suite as the live end.
//
// Strand: the Executor's. Answers come in a later turn, never inside the call. Bound: all history
// since the last compaction is in memory.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/executor.hpp"
#include "client/store.hpp"

namespace coracle::client {

class MemoryStore final : public Store {
 public:
  explicit MemoryStore(Executor& executor);
  ~MemoryStore() override;

  Task<Result<RangeResult>> range(RangeRequest request) override;
  Task<Result<GuardedResult>> write(GuardedWrite request) override;
  std::unique_ptr<Watch> watch(WatchRequest request, WatchSink sink) override;
  Task<Result<std::int64_t>> grant_lease(std::int64_t ttl_seconds) override;
  Task<Result<bool>> compact(std::int64_t revision) override;
  Task<Result<StoreStatus>> status() override;

  // Faults. While not reachable, calls end with Unavailable after `time_out` and open watches end
  // at once. A write that fails so was not made.
  void set_reachable(bool reachable, Duration time_out = std::chrono::seconds(2));
  // Every open watch ends with this status.
  void end_watches(const Status& status);
  std::int64_t revision() const;

  static constexpr size_t kRequestBytesMax = 1572864;  // etcd's 1.5 MiB

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace coracle::client
