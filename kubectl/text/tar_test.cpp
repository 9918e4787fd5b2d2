#include "text/tar.hpp"

#include <catch2/catch.hpp>
#include <vector>

namespace coracle::text {
namespace {

struct Read {
  std::vector<TarEntry> entries;
  std::vector<std::string> bytes;
  Status status;
  bool complete = false;
};

Read read(std::string_view archive, std::size_t piece) {
  Read out;
  TarReader reader(
      [&](const TarEntry& entry) {
        out.entries.push_back(entry);
        out.bytes.emplace_back();
      },
      [&](std::string_view data) { out.bytes.back() += data; }, [] {});
  for (std::size_t at = 0; at < archive.size() && out.status.ok(); at += piece) {
    out.status = reader.feed(archive.substr(at, piece));
  }
  out.complete = reader.complete();
  return out;
}

std::string entry(TarEntry::Kind kind, const std::string& name, const std::string& bytes,
                  const std::string& link = "") {
  const TarEntry made{kind, name, link, bytes.size(), 0750, 1700000000};
  return tar_header(made) + bytes + tar_padding(bytes.size());
}

TEST_CASE("tar: what is written is read, cut anywhere") {
  using Kind = TarEntry::Kind;
  const std::string long_name = std::string(150, 'd') + "/" + std::string(90, 'f');
  std::string archive = entry(Kind::kFolder, "dir", "");
  archive += entry(Kind::kFile, "dir/a", "hello");
  archive += entry(Kind::kFile, "dir/empty", "");
  archive += entry(Kind::kFile, "dir/block", std::string(512, 'b'));
  archive += entry(Kind::kFile, long_name, std::string(1000, 'x'));
  archive += entry(Kind::kLink, "dir/link", "", std::string(120, 'l'));
  archive += tar_end();
  for (const std::size_t piece : {std::size_t{1}, std::size_t{511}, archive.size()}) {
    CAPTURE(piece);
    const Read got = read(archive, piece);
    CHECK(got.status == Status());
    CHECK(got.complete);
    REQUIRE(got.entries.size() == 6);
    CHECK(got.entries[0].kind == Kind::kFolder);
    CHECK(got.entries[0].name == "dir");
    CHECK(got.entries[1].mode == 0750);
    CHECK(got.entries[1].modified == 1700000000);
    CHECK(got.bytes[1] == "hello");
    CHECK(got.bytes[2].empty());
    CHECK(got.bytes[3] == std::string(512, 'b'));
    CHECK(got.entries[4].name == long_name);
    CHECK(got.bytes[4] == std::string(1000, 'x'));
    CHECK(got.entries[5].kind == Kind::kLink);
    CHECK(got.entries[5].link == std::string(120, 'l'));
  }
}

TEST_CASE("tar: what is no archive, and what is cut short") {
  CHECK_FALSE(read(std::string(512, 'x'), 100).status.ok());
  const std::string archive = entry(TarEntry::Kind::kFile, "a", "hello");
  CHECK_FALSE(read(archive.substr(0, 514), 100).complete);
  CHECK_FALSE(read(archive.substr(0, 100), 100).complete);
  CHECK(read(archive, 100).complete);
}

TEST_CASE("tar: long names as GNU tar writes them") {
  TarEntry note{TarEntry::Kind::kFile, "././@LongLink", "", 121, 0644, 0};
  std::string header = tar_header(note);
  header[156] = 'L';
  // The checksum changes by the difference of the type.
  const unsigned sum = std::stoul(header.substr(148, 6), nullptr, 8) + 'L' - '0';
  for (int i = 5; i >= 0; --i) header[148 + i] = static_cast<char>('0' + (sum >> 3 * (5 - i) & 7));
  const std::string name = std::string(120, 'n');
  const std::string archive = header + name + std::string(1, '\0') + tar_padding(121) +
                              entry(TarEntry::Kind::kFile, "short", "data") + tar_end();
  const Read got = read(archive, 200);
  REQUIRE(got.entries.size() == 1);
  CHECK(got.entries[0].name == name);
  CHECK(got.bytes[0] == "data");
}

}  // namespace
}  // namespace coracle::text
