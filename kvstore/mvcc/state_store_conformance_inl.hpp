#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "mvcc/state_store_conformance.hpp"

namespace coracle::mvcc {
namespace conformance {

using Pairs = std::vector<std::pair<std::string, std::string>>;

inline Pairs all(const StateReader& reader, Family family, std::string_view begin = {},
                 std::string_view end = {}) {
  Pairs found;
  reader.scan(family, begin, end, [&](std::string_view key, std::string_view value) {
    found.emplace_back(key, value);
    return true;
  });
  return found;
}

inline void check_reads(StateStore& store) {
  WriteBatch batch;
  batch.put(Family::kMvcc, "b", "2");
  batch.put(Family::kMvcc, "a", "1");
  batch.put(Family::kMvcc, std::string("a\0", 2), "zero");
  batch.put(Family::kMvcc, "\xff\xff", "high");
  batch.put(Family::kLease, "a", "lease");
  batch.put(Family::kMeta, "empty", "");
  store.write(batch);
  REQUIRE(store.get(Family::kMvcc, "a") == "1");
  REQUIRE(store.get(Family::kLease, "a") == "lease");
  REQUIRE(store.get(Family::kMeta, "a") == std::nullopt);
  REQUIRE(store.get(Family::kMeta, "empty") == "");
  // Bytes are unsigned; the empty end has no bound.
  REQUIRE(all(store, Family::kMvcc) ==
          Pairs{{"a", "1"}, {std::string("a\0", 2), "zero"}, {"b", "2"}, {"\xff\xff", "high"}});
  REQUIRE(all(store, Family::kMvcc, std::string("a\0", 2), "b") ==
          Pairs{{std::string("a\0", 2), "zero"}});
  REQUIRE(all(store, Family::kMvcc, "b", "b").empty());
  REQUIRE(all(store, Family::kMvcc, "c", "a").empty());
  int visited = 0;
  store.scan(Family::kMvcc, {}, {},
             [&](std::string_view, std::string_view) { return ++visited < 2; });
  REQUIRE(visited == 2);
}

inline void check_writes(StateStore& store) {
  WriteBatch batch;
  batch.put(Family::kMvcc, "a", "1");
  batch.put(Family::kMvcc, "a", "2");
  batch.put(Family::kMvcc, "b", "1");
  batch.erase(Family::kMvcc, "b");
  batch.erase(Family::kMvcc, "b");
  batch.put(Family::kMvcc, "c", "1");
  batch.put(Family::kLease, "c", "kept");
  store.write(batch);
  REQUIRE(all(store, Family::kMvcc) == Pairs{{"a", "2"}, {"c", "1"}});

  WriteBatch ranges;
  ranges.put(Family::kMvcc, "d", "1");
  ranges.put(Family::kMvcc, "e", "1");
  ranges.erase_range(Family::kMvcc, "c", "e");
  ranges.put(Family::kMvcc, "d", "after the range");
  store.write(ranges);
  REQUIRE(all(store, Family::kMvcc) == Pairs{{"a", "2"}, {"d", "after the range"}, {"e", "1"}});

  WriteBatch open_end;
  open_end.erase_range(Family::kMvcc, "d", "");
  open_end.erase_range(Family::kMvcc, "b", "a");
  store.write(open_end);
  REQUIRE(all(store, Family::kMvcc) == Pairs{{"a", "2"}});
  REQUIRE(all(store, Family::kLease) == Pairs{{"c", "kept"}});

  WriteBatch everything;
  everything.erase_range(Family::kMvcc, "", "");
  store.write(everything);
  store.write(WriteBatch());
  REQUIRE(all(store, Family::kMvcc).empty());
}

inline void check_snapshot(StateStore& store) {
  WriteBatch before;
  before.put(Family::kMvcc, "a", "old");
  before.put(Family::kMeta, "m", "old");
  store.write(before);
  const auto snapshot = store.snapshot();
  WriteBatch after;
  after.put(Family::kMvcc, "a", "new");
  after.put(Family::kMvcc, "b", "new");
  after.erase(Family::kMeta, "m");
  store.write(after);
  REQUIRE(all(*snapshot, Family::kMvcc) == Pairs{{"a", "old"}});
  REQUIRE(snapshot->get(Family::kMeta, "m") == "old");
  REQUIRE(store.get(Family::kMvcc, "a") == "new");
  REQUIRE(store.get(Family::kMeta, "m") == std::nullopt);
}

inline void check_large(StateStore& store) {
  WriteBatch batch;
  const std::string value(1024, 'v');
  for (int i = 0; i < 3000; ++i) batch.put(Family::kMvcc, std::to_string(10000 + i), value);
  const std::string megabyte(1 << 20, '\0');
  batch.put(Family::kMeta, "big", megabyte);
  store.write(batch);
  REQUIRE(all(store, Family::kMvcc).size() == 3000);
  REQUIRE(all(store, Family::kMvcc, "10100", "10200").size() == 100);
  REQUIRE(store.get(Family::kMeta, "big") == megabyte);
}

}  // namespace conformance

inline void check_state_store(const std::function<std::unique_ptr<StateStore>()>& make) {
  conformance::check_reads(*make());
  conformance::check_writes(*make());
  conformance::check_snapshot(*make());
  conformance::check_large(*make());
}

}  // namespace coracle::mvcc
