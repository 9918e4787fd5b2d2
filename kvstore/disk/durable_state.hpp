// DurableState: a StateStore on a medium that keeps it. Ends: RocksStateStore, and the simulated
// one.
#pragma once

#include <cstdint>

#include "base/status.hpp"
#include "mvcc/state_store.hpp"

namespace coracle::disk {

class DurableState : public mvcc::StateStore {
 public:
  // May run on another thread beside the strand: everything written before the call is safe when it
  // returns.
  virtual Status flush() = 0;
  // The same thread rule: gives back the space of what was overwritten or erased.
  virtual void compact() = 0;
  virtual std::uint64_t bytes_on_disk() const = 0;
};

}  // namespace coracle::disk
