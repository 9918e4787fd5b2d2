#include "disk/snapshot_file.hpp"

#include <catch2/catch.hpp>
#include <map>

#include "base/rng.hpp"
#include "mvcc/memory_state_store.hpp"

namespace coracle::disk {
namespace {

using mvcc::Family;

using Pairs = std::vector<std::tuple<int, std::string, std::string>>;

const SnapshotInfo kInfo{{0xc1, 0x0e}, Revision(300), Index(77), Term(4)};

mvcc::MemoryStateStore a_state(const Pairs& pairs) {
  mvcc::MemoryStateStore state;
  mvcc::WriteBatch batch;
  for (const auto& [family, key, value] : pairs) batch.put(Family(family), key, value);
  state.write(batch);
  return state;
}

std::string save(const mvcc::StateReader& state) {
  SnapshotEncoder encoder(state, kInfo);
  while (encoder.measure_more()) {
  }
  const std::uint64_t size = encoder.total_bytes();
  std::string file, last;
  for (std::string piece = encoder.next(); !piece.empty(); piece = encoder.next()) {
    file += piece;
    last = piece;
  }
  CHECK(file.size() == size);
  CHECK(last.size() == kSnapshotDigestBytes);
  return file;
}

Result<Pairs> load(std::string_view file, bool skip_digest = false) {
  Pairs pairs;
  const auto visit = [&](Family family, std::string_view key, std::string_view value) {
    pairs.emplace_back(int(family), key, value);
    return Status();
  };
  const auto summary = decode_snapshot(file, visit, skip_digest);
  RETURN_IF_ERROR(summary.status());
  CHECK(summary->info == kInfo);
  CHECK(summary->pairs == pairs.size());
  CHECK(summary->bytes == file.size());
  return pairs;
}

std::string error_of(std::string_view file) {
  const auto loaded = load(file);
  return loaded.ok() ? "none" : std::string(loaded.status().message());
}

const Pairs kSmall = {{0, "k", "v"}, {1, "lease", ""}, {2, "applied", "0123"}};

}  // namespace

TEST_CASE("A snapshot file gives back what was saved") {
  Pairs pairs;
  SECTION("nothing") {}
  SECTION("one of each family") { pairs = kSmall; }
  SECTION("bytes of all kinds") {
    pairs = {{0, std::string("a\0b", 3), std::string(2000, '\0')}, {0, "b", "\xff\xfe"}};
  }
  SECTION("several blocks, and a value larger than a block") {
    for (int i = 0; i < 900; ++i) {
      pairs.emplace_back(0, "key" + std::to_string(1000 + i),
                         std::string(1000, char('a' + i % 26)));
    }
    pairs.emplace_back(1, "large", std::string(3 << 20, 'x'));
    pairs.emplace_back(2, "after", "y");
  }
  SECTION("a block that ends with its family") {
    pairs = {{0, "a", std::string(kBlockBytes, 'x')}, {2, "m", "1"}};
  }
  const std::string file = save(a_state(pairs));
  CHECK(file.size() % 512 == 32);  // what `etcdctl snapshot save` asks for
  const auto loaded = load(file);
  INFO(loaded.status().to_string());
  REQUIRE(loaded.ok());
  CHECK(*loaded == pairs);
}

TEST_CASE("A snapshot file may come in parts of any size") {
  const std::string file = save(a_state(kSmall));
  const size_t step = GENERATE(1, 7, 64, 600);
  Pairs pairs;
  SnapshotDecoder decoder([&](Family family, std::string_view key, std::string_view value) {
    pairs.emplace_back(int(family), key, value);
    return Status();
  });
  for (size_t at = 0; at < file.size(); at += step) {
    REQUIRE(decoder.feed(std::string_view(file).substr(at, step)).ok());
  }
  REQUIRE(decoder.finish().ok());
  CHECK(pairs == kSmall);
}

TEST_CASE("The bytes of a snapshot file are those of its documentation") {
  const std::string file = save(a_state({{0, "k", "hi"}}));
  REQUIRE(file.size() == 512 + 32);
  CHECK(file.substr(0, 8) == "CORASNAP");
  CHECK(hex_encode(file.substr(8, 8)) == "0100000000000000");
  CHECK(hex_encode(file.substr(16, 16)) == "c1000000000000000e00000000000000");
  CHECK(hex_encode(file.substr(32, 24)) == "2c010000000000004d000000000000000400000000000000");
  CHECK(hex_encode(file.substr(64, 8)) == "0600000001000000");
  CHECK(hex_encode(file.substr(80, 6)) == "0001026b6869");
  CHECK(hex_encode(file.substr(86, 8)) == "1000000000000000");
  CHECK(hex_encode(file.substr(102, 8)) == "0100000000000000");
  CHECK(get_u32(file, 110) == crc32c(file.substr(80, 6)));
  CHECK(file.substr(118, 512 - 118) == std::string(512 - 118, '\0'));
  CHECK(hex_encode(file.substr(512)) ==
        "be69589803bde4a3e530a1eee6007ae5a01c4851031862e551e14d8337c15b36");
}

TEST_CASE("A snapshot file that is not whole is refused") {
  const std::string file = save(a_state(kSmall));
  for (size_t size = 0; size < file.size(); ++size) {
    CAPTURE(size);
    CHECK(load(file.substr(0, size)).status().code() == Code::kDataLoss);
  }
  CHECK(error_of(file + "x") == "snapshot: byte 544: there are bytes behind the digest");
  CHECK(error_of(file.substr(0, 512)) == "snapshot: byte 512: the SHA-256 at the end is missing");
  CHECK(load(file.substr(0, 512), true).ok());
}

TEST_CASE("A flipped bit anywhere in a snapshot file is found") {
  const std::string file = save(a_state(kSmall));
  for (size_t bit = 0; bit < file.size() * 8; ++bit) {
    std::string damaged = file;
    damaged[bit / 8] = char(damaged[bit / 8] ^ (1 << bit % 8));
    CAPTURE(bit);
    CHECK(load(damaged).status().code() == Code::kDataLoss);
  }
}

TEST_CASE("Without its digest a snapshot file is still checked block by block") {
  std::string file = save(a_state(kSmall));
  file[520] = char(file[520] ^ 1);
  CHECK(error_of(file) == "snapshot: byte 544: the SHA-256 at the end is not that of the file");
  CHECK(load(file, true).ok());
  file[85] = char(file[85] ^ 1);
  CHECK(load(file, true).status().message() == "snapshot: byte 80: a block is damaged");
}

TEST_CASE("Other files are no snapshots") {
  CHECK(error_of(std::string(4096, 'x')) ==
        "snapshot: byte 0: this is not a snapshot of this store (no CORASNAP)");
  CHECK(error_of("") == "snapshot: byte 0: the file is cut short");
}

TEST_CASE("Snapshot decoding survives random bytes with right checksums") {
  // Checksums would hide the parser from garbage, so they are made right here.
  Rng rng(GENERATE(range(1, 200)));
  const std::string whole = save(a_state(kSmall));
  std::string payload = whole.substr(80, get_u32(whole, 64));
  for (int i = 0; i < 3; ++i) payload[rng.below(payload.size())] = char(rng.below(256));
  std::string header;
  put_u32(&header, std::uint32_t(payload.size()));
  put_u32(&header, std::uint32_t(1 + rng.below(5)));
  put_u32(&header, crc32c(payload));
  put_u32(&header, crc32c(header));
  const auto loaded = load(whole.substr(0, 64) + header + payload);
  CHECK(loaded.status().code() == Code::kDataLoss);  // at the latest, because it is cut short
}

TEST_CASE("What the visitor refuses ends the decoding") {
  const std::string file = save(a_state(kSmall));
  int visited = 0;
  const auto summary = decode_snapshot(file, [&](Family, std::string_view, std::string_view) {
    return ++visited == 2 ? internal_error("full") : Status();
  });
  CHECK(summary.status().message() == "full");
  CHECK(visited == 2);
}

}  // namespace coracle::disk
