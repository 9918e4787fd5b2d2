// HashKV: etcd's hash of the history, bit for bit, in two parts: what the store's memory says
// (Store::plan_hash, on its strand) and the reading of the state (run_hash, on any thread, from a
// snapshot of that moment).
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/ids.hpp"
#include "mvcc/state_store.hpp"

namespace coracle::mvcc {

struct HashKv {
  std::uint32_t hash = 0;
  Revision compacted;      // -1: never
  Revision hash_revision;  // the revision the hash is about
  friend bool operator==(const HashKv&, const HashKv&) = default;
};

struct HashPlan {
  std::int64_t upto = 0;
  std::int64_t compacted = -1;
  // Versions up to the compacted revision that count: (main, sub), ascending.
  std::vector<std::pair<std::int64_t, std::uint32_t>> kept;
};
HashKv run_hash(const StateReader& snapshot, const HashPlan& plan);

}  // namespace coracle::mvcc
