#include "disk/rocks_state_store.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "disk/temp_dir.hpp"
#include "mvcc/state_store_conformance.hpp"

namespace coracle::disk {
namespace {

using mvcc::Family;
using mvcc::WriteBatch;

// A store whose folder goes with it.
struct OwnedStore final : mvcc::StateStore {
  OwnedStore() {
    auto opened = RocksStateStore::open(dir.path + "/state");
    REQUIRE(opened.ok());
    store = std::move(opened).value();
  }
  std::optional<std::string> get(Family f, std::string_view key) const override {
    return store->get(f, key);
  }
  void scan(Family f, std::string_view begin, std::string_view end,
            const mvcc::ScanVisitor& visit) const override {
    store->scan(f, begin, end, visit);
  }
  void write(const WriteBatch& batch) override { store->write(batch); }
  std::unique_ptr<mvcc::StateSnapshot> snapshot() const override { return store->snapshot(); }

  TempDir dir;
  std::unique_ptr<RocksStateStore> store;
};

std::unique_ptr<RocksStateStore> open_at(const std::string& folder) {
  auto opened = RocksStateStore::open(folder);
  INFO(opened.status().to_string());
  REQUIRE(opened.ok());
  return std::move(opened).value();
}

}  // namespace

TEST_CASE("StateStore suite: RocksDB") {
  mvcc::check_state_store([] { return std::make_unique<OwnedStore>(); });
}

TEST_CASE("RocksStateStore keeps what was flushed") {
  TempDir dir;
  const std::string folder = dir.path + "/state";
  {
    auto store = open_at(folder);
    WriteBatch batch;
    batch.put(Family::kMvcc, "a", "1");
    batch.put(Family::kMeta, "applied", "7");
    store->write(batch);
    REQUIRE(store->flush().ok());
    CHECK(store->bytes_on_disk() > 0);
  }
  auto store = open_at(folder);
  CHECK(store->get(Family::kMvcc, "a") == "1");
  CHECK(store->get(Family::kMeta, "applied") == "7");
  CHECK(store->get(Family::kLease, "a") == std::nullopt);
}

TEST_CASE("RocksStateStore refuses what it cannot use, naming the folder") {
  TempDir dir;
  const std::string folder = dir.path + "/state";
  SECTION("open twice") {
    auto store = open_at(folder);
    const auto second = RocksStateStore::open(folder);
    REQUIRE(!second.ok());
    CHECK_THAT(second.status().message(), Catch::Contains(folder));
  }
  SECTION("a damaged file") {
    {
      auto store = open_at(folder);
      WriteBatch batch;
      batch.put(Family::kMvcc, "a", std::string(5000, 'x'));
      store->write(batch);
      REQUIRE(store->flush().ok());
    }
    const auto names = list_dir(folder);
    REQUIRE(names.ok());
    for (const std::string& name : *names) {
      if (name.starts_with("MANIFEST")) std::ofstream(folder + "/" + name, std::ios::trunc) << "?";
    }
    const auto damaged = RocksStateStore::open(folder);
    REQUIRE(!damaged.ok());
    CHECK_THAT(damaged.status().message(), Catch::Contains(folder));
  }
}

}  // namespace coracle::disk
