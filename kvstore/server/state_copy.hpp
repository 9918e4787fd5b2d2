// StateCopy: the state of a member at one revision, on its way to a client that saves it.
//
// Thread:    measure_more(), total_bytes() and next() on one thread at a time beside the strand;
//            revoke() on the strand at any time, which waits for at most one block.
// Invariant: after revoke() nothing of the member's state is open here.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "disk/snapshot_file.hpp"

namespace coracle::store {

class StateCopy {
 public:
  StateCopy(std::unique_ptr<mvcc::StateSnapshot> state, const disk::SnapshotInfo& info);

  // As disk::SnapshotEncoder has them. Unavailable after revoke().
  Result<bool> measure_more();
  std::uint64_t total_bytes() const { return encoder_.total_bytes(); }
  Result<std::string> next();

  void revoke();

 private:
  std::mutex mutex_;  // guards state_, which encoder_ reads
  std::unique_ptr<mvcc::StateSnapshot> state_;
  disk::SnapshotEncoder encoder_;
};

}  // namespace coracle::store
