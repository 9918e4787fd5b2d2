// MvccChecker: the invariants of a Store, over its state and over its steps. For tests, the
// simulated world and sampled checks in a debug daemon. Pure; "" means all is well, else what is
// broken.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "mvcc/store.hpp"

namespace coracle::mvcc {

class MvccChecker {
 public:
  // After every turn, with what take_changes() gave. Revisions: never fall, never repeated, +1 per
  // change; sub-revisions complete; a put continues the key's life (version, create) or starts one;
  // a deletion ends one.
  std::string step(const Store& store, const std::vector<Change>& changes);
  // Everything in the state, which must be written: O(n). Records are readable and consistent per
  // key, none older than needed is missing, and what a restart would see equals what we have.
  std::string whole(const Store& store, const StateReader& state) const;

 private:
  struct Life {
    std::int64_t create = 0;
    std::int64_t version = 0;
  };
  std::string event(const Event& event, Revision revision);

  bool started_ = false;
  Revision revision_;
  Revision compacted_;
  std::map<std::string, Life> alive_;
};

}  // namespace coracle::mvcc
