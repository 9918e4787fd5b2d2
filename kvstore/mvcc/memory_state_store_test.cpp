#include "mvcc/memory_state_store.hpp"

#include <catch2/catch.hpp>

#include "mvcc/state_store_conformance.hpp"

using namespace coracle::mvcc;

TEST_CASE("the memory state store is a state store") {
  check_state_store([] { return std::make_unique<MemoryStateStore>(); });
}

TEST_CASE("a crash of the memory state store falls back to the last flush") {
  MemoryStateStore store;
  WriteBatch kept, lost;
  kept.put(Family::kMvcc, "a", "1");
  store.write(kept);
  store.flush();
  lost.put(Family::kMvcc, "a", "2");
  lost.put(Family::kMeta, "applied", "7");
  store.write(lost);
  store.crash();
  REQUIRE(store.get(Family::kMvcc, "a") == "1");
  REQUIRE(store.get(Family::kMeta, "applied") == std::nullopt);
}
