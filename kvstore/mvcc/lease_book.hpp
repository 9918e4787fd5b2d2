// LeaseBook: what the key store must know of leases. The Lessor is its live end.
// Invariant: a key is attached to at most one lease, the one its last put named.
#pragma once

#include <string_view>

#include "base/ids.hpp"

namespace coracle::mvcc {

class LeaseBook {
 public:
  virtual ~LeaseBook() = default;
  virtual bool exists(LeaseId lease) const = 0;
  // Both are called while a txn is applied; the lease is never 0. Attaching to an unknown lease
  // happens only while recovering a damaged state and must be ignored.
  virtual void attach(LeaseId lease, std::string_view key) = 0;
  virtual void detach(LeaseId lease, std::string_view key) = 0;
};

// For tests and stores without leases: no lease exists.
class NoLeases final : public LeaseBook {
 public:
  bool exists(LeaseId) const override { return false; }
  void attach(LeaseId, std::string_view) override {}
  void detach(LeaseId, std::string_view) override {}
};

}  // namespace coracle::mvcc
