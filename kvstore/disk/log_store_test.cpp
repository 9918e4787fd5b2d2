#include "disk/file_log.hpp"
#include "disk/log_store_suite.hpp"
#include "disk/memory_log.hpp"
#include "disk/temp_dir.hpp"

namespace coracle::disk {
namespace {

struct MemoryFixture final : LogStoreFixture {
  MemoryLog log;
  LogStore& store() override { return log; }
  LogImage reopen() override { return log.image(); }
};

struct FileFixture final : LogStoreFixture {
  FileFixture() { (void)reopen(); }
  LogStore& store() override { return *log; }
  LogImage reopen() override {
    log.reset();
    LogImage image;
    // Small segments, so that every case also crosses their borders.
    auto opened = FileLog::open(dir.path + "/log", {1, 2}, {4096, 8192}, &image);
    INFO(opened.status().to_string());
    REQUIRE(opened.ok());
    log = std::move(opened).value();
    return image;
  }
  TempDir dir;
  std::unique_ptr<FileLog> log;
};

}  // namespace

void run_log_store_suite(const std::function<std::unique_ptr<LogStoreFixture>()>& make) {
  auto fixture = make();
  auto& f = *fixture;
  const raft::HardState state(Term(3), NodeId(2), Index(4));

  SECTION("a new log is empty") {
    const LogImage image = f.reopen();
    CHECK(image.entries.empty());
    CHECK(image.hard_state == raft::HardState());
    CHECK(image.base_index == Index(0));
  }
  SECTION("entries and hard state come back") {
    REQUIRE(f.store().append(state, entries_of(1, 5, 3)).ok());
    const LogImage image = f.reopen();
    CHECK(image.hard_state == state);
    CHECK(image.entries == entries_of(1, 5, 3));
  }
  SECTION("the last hard state wins, and alone is enough") {
    REQUIRE(f.store().append(state, {}).ok());
    const raft::HardState later(Term(4), NodeId(1), Index(4));
    REQUIRE(f.store().append(later, {}).ok());
    CHECK(f.reopen().hard_state == later);
  }
  SECTION("a conflicting tail is replaced") {
    REQUIRE(f.store().append(state, entries_of(1, 9, 1)).ok());
    REQUIRE(f.store().append(std::nullopt, entries_of(4, 5, 2)).ok());
    auto want = entries_of(1, 3, 1);
    for (auto& e : entries_of(4, 5, 2)) want.push_back(e);
    CHECK(f.reopen().entries == want);
  }
  SECTION("a tail that spans segments is replaced, then cut") {
    for (int i = 0; i < 200; ++i) {
      REQUIRE(f.store().append(std::nullopt, {an_entry(i + 1, 1, std::string(100, 'a'))}).ok());
    }
    REQUIRE(f.store().append(std::nullopt, {an_entry(20, 2, "new")}).ok());
    REQUIRE(f.store().append(std::nullopt, entries_of(21, 300, 2)).ok());
    LogImage image = f.reopen();
    REQUIRE(image.entries.size() == 300);
    CHECK(image.entries[18].term == Term(1));
    CHECK(image.entries[19].data == "new");
    REQUIRE(f.store().cut(Index(250)).ok());
    image = f.reopen();
    CHECK(image.base_index <= Index(250));
    CHECK(image.entries.back() == entries_of(300, 300, 2)[0]);
    CHECK(image.base_index.plus(image.entries.size()) == Index(300));
    if (image.base_index >= Index(20)) CHECK(image.base_term == Term(2));
  }
  SECTION("a cut never takes what lies behind it") {
    for (int i = 0; i < 400; ++i) {
      REQUIRE(f.store().append(std::nullopt, {an_entry(i + 1, 1, std::string(100, 'b'))}).ok());
    }
    for (const std::uint64_t at : {0u, 1u, 37u, 150u, 399u}) {
      REQUIRE(f.store().cut(Index(at)).ok());
      const LogImage image = f.reopen();
      CHECK(image.base_index <= Index(at));
      CHECK(image.base_index.plus(image.entries.size()) == Index(400));
    }
  }
  SECTION("a reset forgets everything and keeps the hard state") {
    REQUIRE(f.store().append(state, entries_of(1, 50, 3)).ok());
    REQUIRE(f.store().reset(Index(20), Term(7)).ok());
    LogImage image = f.reopen();
    CHECK(image.entries.empty());
    CHECK(image.base_index == Index(20));
    CHECK(image.base_term == Term(7));
    CHECK(image.hard_state == state);
    REQUIRE(f.store().append(std::nullopt, entries_of(21, 22, 8)).ok());
    CHECK(f.reopen().entries == entries_of(21, 22, 8));
  }
  SECTION("an entry larger than a segment") {
    REQUIRE(f.store().append(state, {an_entry(1, 1, std::string(100000, 'c'))}).ok());
    REQUIRE(f.store().append(std::nullopt, entries_of(2, 3, 1)).ok());
    const LogImage image = f.reopen();
    REQUIRE(image.entries.size() == 3);
    CHECK(image.entries[0].data.size() == 100000);
  }
}

TEST_CASE("LogStore suite: memory") {
  run_log_store_suite([] { return std::make_unique<MemoryFixture>(); });
}

TEST_CASE("LogStore suite: files") {
  run_log_store_suite([] { return std::make_unique<FileFixture>(); });
}

}  // namespace coracle::disk
