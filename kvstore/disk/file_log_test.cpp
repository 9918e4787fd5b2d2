// Each corruption by its name: what a crash can leave behind is cut back, everything else refuses.
#include "disk/file_log.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "disk/log_store_suite.hpp"
#include "disk/temp_dir.hpp"

namespace coracle::disk {
namespace {

constexpr Identity kUs{0xc1, 0xa1};

struct Log {
  TempDir dir;
  std::string folder = dir.path + "/log";
  std::string first = folder + "/" + segment_name(1);
  FileLog::Options options{64 << 10, 64 << 10};

  Result<std::unique_ptr<FileLog>> open(LogImage* image, Identity who = kUs) {
    return FileLog::open(folder, who, options, image);
  }
  // Five batches of one entry each; returns where each batch begins.
  std::vector<std::uint64_t> fill(const std::string& data) {
    LogImage image;
    auto log = open(&image);
    REQUIRE(log.ok());
    std::vector<std::uint64_t> offsets;
    for (int i = 1; i <= 5; ++i) {
      REQUIRE((*log)
                  ->append(raft::HardState(Term(1), NodeId(1), Index(0)),
                           {an_entry(i, 1, data + std::to_string(i))})
                  .ok());
    }
    log->reset();
    const Scan scan = scan_first();
    for (const Record& r : scan.records) {
      if (r.kind == RecordKind::kHardState) offsets.push_back(r.offset);
    }
    offsets.erase(offsets.begin());  // the one every segment starts with
    offsets.push_back(scan.end);
    return offsets;
  }
  Scan scan_first() {
    bytes_ = read();
    auto header = decode_segment_header(bytes_, first);
    REQUIRE(header.ok());
    auto scan = scan_segment(bytes_, *header, true, first);
    REQUIRE(scan.ok());
    return *scan;
  }
  std::string read() {
    std::ifstream in(first, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(const std::string& bytes) {
    std::ofstream(first, std::ios::binary | std::ios::trunc) << bytes;
  }
  // The number of entries the next life finds, or the error text.
  std::string next_life() {
    LogImage image;
    auto log = open(&image);
    return log.ok() ? std::to_string(image.entries.size()) : log.status().to_string();
  }
  std::string bytes_;
};

void zero(std::string* bytes, size_t from, size_t to) {
  std::fill(bytes->begin() + long(from), bytes->begin() + long(to), '\0');
}

size_t sector_up(size_t at) { return (at + kSectorBytes - 1) / kSectorBytes * kSectorBytes; }

}  // namespace

TEST_CASE("FileLog cuts back what a crash can leave") {
  Log log;
  const auto at = log.fill(std::string(1500, 'd'));
  std::string bytes = log.read();
  const size_t last = at[4], end = at[5];

  SECTION("the last batch was never written") { zero(&bytes, last, end); }
  SECTION("only its first sectors were written") { zero(&bytes, sector_up(last + 32), end); }
  SECTION("its middle sector is missing") {
    const size_t middle = sector_up(last + 600);
    zero(&bytes, middle, middle + kSectorBytes);
  }
  SECTION("its first sector is missing") { zero(&bytes, last, sector_up(last + 1)); }
  SECTION("the hard state came, the entry did not") { zero(&bytes, last + 64, end); }
  SECTION("the file ends inside it") { bytes.resize(last + 700); }
  log.write(bytes);
  CHECK(log.next_life() == "4");
  CHECK(log.next_life() == "4");  // and it is cut for good

  // What is appended after the cut is found again.
  LogImage image;
  {
    auto again = log.open(&image);
    REQUIRE(again.ok());
    REQUIRE((*again)->append(std::nullopt, {an_entry(5, 2, "after")}).ok());
  }
  REQUIRE(log.open(&image).ok());
  CHECK(image.entries.back() == an_entry(5, 2, "after"));
}

TEST_CASE("FileLog refuses damage and names file and offset") {
  Log log;
  const auto at = log.fill(std::string(1500, 'd'));
  std::string bytes = log.read();
  std::string where;

  SECTION("a bit of an early entry") {
    bytes[at[1] + 64 + 40] ^= 4;
    where = "damaged at offset " + std::to_string(at[1] + 64);
  }
  SECTION("a bit of an early record header") {
    bytes[at[2] + 9] ^= 1;
    where = "damaged at offset " + std::to_string(at[2]);
  }
  SECTION("a bit of the last entry, all sectors written") {
    bytes[at[4] + 64 + 900] ^= 1;
    where = "damaged at offset " + std::to_string(at[4] + 64);
  }
  SECTION("zeros in the middle") {
    zero(&bytes, at[2], at[3]);
    where = "damaged at offset " + std::to_string(at[2]);
  }
  SECTION("a torn batch with later batches") {
    zero(&bytes, sector_up(at[1] + 200), sector_up(at[1] + 200) + kSectorBytes);
    where = "damaged at offset " + std::to_string(at[1] + 64);
  }
  SECTION("the segment header") {
    bytes[20] ^= 1;
    where = "damaged at offset 0: the segment header fails its checksum";
  }
  SECTION("another kind of file") {
    bytes.replace(0, 8, "NOTALOG!");
    where = "not a log segment";
  }
  SECTION("an empty file") {
    bytes.clear();
    where = "the segment header is cut off";
  }
  SECTION("garbage behind the end") {
    bytes.replace(at[5], 32, std::string(32, '?'));
    where = "damaged at offset " + std::to_string(at[5]);
  }
  log.write(bytes);
  const std::string text = log.next_life();
  CHECK_THAT(text, Catch::Contains("DataLoss: " + log.first));
  CHECK_THAT(text, Catch::Contains(where));
  CHECK(log.read() == bytes);  // nothing was "repaired"
}

TEST_CASE("FileLog refuses a sealed segment without its tail") {
  Log log;
  log.options = {4096, 4096};
  LogImage image;
  {
    auto opened = log.open(&image);
    REQUIRE(opened.ok());
    for (int i = 1; i <= 20; ++i) {
      REQUIRE((*opened)->append(std::nullopt, {an_entry(i, 1, std::string(400, 'x'))}).ok());
    }
  }
  SECTION("its last batch is zeros") {
    std::string bytes = log.read();
    const Scan scan = log.scan_first();
    zero(&bytes, scan.records.back().offset, bytes.size());
    log.write(bytes);
    CHECK_THAT(log.next_life(), Catch::Contains("batches are missing before this segment"));
  }
  SECTION("a segment in the middle is gone") {
    REQUIRE(remove_file(log.folder + "/" + segment_name(2)).ok());
    CHECK_THAT(log.next_life(), Catch::Contains("this segment of the log is missing"));
  }
}

TEST_CASE("FileLog refuses the folder of another") {
  Log log;
  log.fill("x");
  LogImage image;
  CHECK_THAT(log.open(&image, {0xc2, 0xa1}).status().to_string(),
             Catch::Contains("belongs to cluster c1, not to c2"));
  CHECK_THAT(log.open(&image, {0xc1, 0xa2}).status().to_string(),
             Catch::Contains("belongs to member a1, not to a2"));
}

TEST_CASE("FileLog without room: nothing is acknowledged, and the failure is final") {
  Log log;
  log.options = {4096, 4096};
  LogImage image;
  int stored = 0;
  {
    auto opened = log.open(&image);
    REQUIRE(opened.ok());
    // A file size limit fails writes as a full disk does.
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    Status status;
    for (int i = 1; i <= 3 && status.ok(); ++i) {
      status = (*opened)->append(std::nullopt, {an_entry(i, 1, std::string(300, 'x'))});
      if (status.ok()) ++stored;
    }
    const rlimit tight{1024, before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &tight) == 0);
    for (int i = stored + 1; status.ok() && i < 100; ++i) {
      status = (*opened)->append(std::nullopt, {an_entry(i, 1, std::string(300, 'x'))});
      if (status.ok()) ++stored;
    }
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
    CHECK(status.code() == Code::kResourceExhausted);
    CHECK_THAT(status.message(), Catch::Contains(log.folder));
    // There is room again, but nobody knows what the failed write left.
    CHECK((*opened)->append(std::nullopt, {an_entry(stored + 1, 1)}) == status);
  }
  CHECK(log.next_life() == std::to_string(stored));
}

TEST_CASE("FileLog names what it may not read") {
  if (::geteuid() == 0) return;  // root may read everything
  Log log;
  log.fill("x");
  REQUIRE(::chmod(log.first.c_str(), 0) == 0);
  CHECK_THAT(log.next_life(), Catch::Contains("PermissionDenied: " + log.first));
}

}  // namespace coracle::disk
