// The Store's working values, shared by its .cpp files only.
#pragma once

#include <cstdint>
#include <vector>

#include "mvcc/store.hpp"

namespace coracle::mvcc {

// One key a range found; its fields are filled in as far as needed.
struct Store::Row {
  const KeyIndex::Entry* entry = nullptr;
  VersionRef ref;
  KeyValue kv;
  bool filled = false;     // kv but its value
  bool has_value = false;  // kv with its value
};

struct Store::Rows {
  std::vector<Row> list;
  std::int64_t count = 0;
  bool more = false;
};

// Which branch each txn takes, in the order the chosen branches are walked.
struct Store::Path {
  std::vector<bool> succeeded;
};

// One apply on its way.
struct Store::Turn {
  WriteBatch& batch;
  std::int64_t begin = 0;  // the revision before it
  std::uint32_t changes = 0;

  bool changed() const { return changes > 0; }
  std::int64_t main() const { return begin + 1; }
  Revision now() const { return Revision(changed() ? main() : begin); }
};

}  // namespace coracle::mvcc
