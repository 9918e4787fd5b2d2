#include "disk/rocks_state_store.hpp"

#include <sys/wait.h>
#include <unistd.h>

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

constexpr int kRecords = 300;

std::string value_of(int record) { return std::to_string(record) + std::string(60, 'v'); }

// Reads all there is in a process of its own, since damage ends it. False: it read something else
// than was written.
bool reads_right_or_not_at_all(const std::string& folder, bool* noticed) {
  constexpr int kWrong = 42;
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(30);
    const auto store = RocksStateStore::open(folder, true);
    if (!store.ok()) ::_exit(1);
    int next = 0;
    (*store)->scan(Family::kMvcc, "", "", [&](std::string_view, std::string_view value) {
      if (next >= kRecords || value != value_of(next)) ::_exit(kWrong);
      ++next;
      return true;
    });
    ::_exit(next == kRecords ? 0 : kWrong);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  *noticed = WIFEXITED(status) && WEXITSTATUS(status) == 1;
  return *noticed || (WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

void flip_bit(const std::string& file, std::streamoff at) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekg(at);
  const char byte = char(stream.get());
  stream.seekp(at);
  stream.put(char(byte ^ 4));
  REQUIRE(stream.good());
}

}  // namespace

TEST_CASE("RocksStateStore never serves what a flipped bit made of it") {
  TempDir dir;
  const std::string folder = dir.path + "/state";
  {
    auto store = open_at(folder);
    WriteBatch batch;
    for (int i = 0; i < kRecords; ++i) {
      batch.put(Family::kMvcc, std::to_string(1000 + i), value_of(i));
    }
    store->write(batch);
    REQUIRE(store->flush().ok());
  }
  const auto names = list_dir(folder);
  REQUIRE(names.ok());
  int noticed_count = 0, flips = 0;
  for (const std::string& name : *names) {
    if (!name.ends_with(".sst")) continue;
    const std::string file = folder + "/" + name;
    const auto size = std::ifstream(file, std::ios::ate | std::ios::binary).tellg();
    for (std::streamoff at = 7; at < size; at += size / 24) {
      CAPTURE(name, std::int64_t(at));
      flip_bit(file, at);
      bool noticed = false;
      CHECK(reads_right_or_not_at_all(folder, &noticed));
      flip_bit(file, at);
      noticed_count += noticed ? 1 : 0;
      ++flips;
    }
  }
  bool noticed = false;
  CHECK(reads_right_or_not_at_all(folder, &noticed));
  CHECK_FALSE(noticed);
  REQUIRE(flips >= 24);
  CHECK(noticed_count >= flips / 2);
}

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
