// Saved snapshots: bytes as they come; blocks with right checksums around any payload; and whole
// files that are then damaged. A digest that is right never lets through what was not saved.
#include <tuple>
#include <vector>

#include "base/check.hpp"
#include "base/encoding.hpp"
#include "disk/segment_format.hpp"
#include "disk/snapshot_file.hpp"
#include "input.hpp"
#include "mvcc/memory_state_store.hpp"

namespace {

using namespace coracle;
using namespace coracle::disk;

using Pairs = std::vector<std::tuple<mvcc::Family, std::string, std::string>>;

Result<Pairs> load(std::string_view file, bool skip_digest, std::size_t step) {
  Pairs pairs;
  SnapshotDecoder decoder(
      [&](mvcc::Family family, std::string_view key, std::string_view value) {
        pairs.emplace_back(family, key, value);
        return Status();
      },
      skip_digest);
  for (std::size_t at = 0; at < file.size(); at += step) {
    RETURN_IF_ERROR(decoder.feed(file.substr(at, step)));
  }
  ASSIGN_OR_RETURN(const SnapshotSummary summary, decoder.finish());
  CHECK(summary.pairs == pairs.size());
  return pairs;
}

// In one piece and in many it is the same.
Result<Pairs> load_twice(std::string_view file, bool skip_digest, std::size_t step) {
  auto whole = load(file, skip_digest, file.size() + 1);
  const auto parts = load(file, skip_digest, step);
  CHECK(whole.ok() == parts.ok());
  if (whole.ok()) {
    CHECK(*whole == *parts);
  } else {
    CHECK(whole.status() == parts.status());
  }
  return whole;
}

void add_block(std::string* out, std::string_view payload, std::uint32_t pairs) {
  std::string header;
  put_u32(&header, std::uint32_t(payload.size()));
  put_u32(&header, pairs);
  put_u32(&header, crc32c(payload));
  put_u32(&header, crc32c(header));
  *out += header;
  out->append(payload);
}

std::string save(fuzz::Input& input, Pairs* pairs) {
  mvcc::MemoryStateStore state;
  mvcc::WriteBatch batch;
  for (int n = input.byte() % 6; n > 0; --n) {
    const auto family = mvcc::Family(input.byte() % mvcc::kFamilies);
    const std::string key(input.take(input.byte() % 16));
    batch.put(family, key, std::string(input.take(input.byte())));
  }
  state.write(batch);
  for (int family = 0; family < mvcc::kFamilies; ++family) {
    state.scan(mvcc::Family(family), "", "", [&](std::string_view key, std::string_view value) {
      pairs->emplace_back(mvcc::Family(family), key, value);
      return true;
    });
  }
  SnapshotEncoder encoder(state, {{1, 2}, Revision(3), Index(4), Term(5)});
  std::string file;
  for (std::string piece = encoder.next(); !piece.empty(); piece = encoder.next()) file += piece;
  return file;
}

void read_blocks(fuzz::Input& input, std::size_t step) {
  Pairs ignored;
  mvcc::MemoryStateStore nothing;
  SnapshotEncoder encoder(nothing, {{1, 2}, Revision(3), Index(4), Term(5)});
  std::string file = encoder.next().substr(0, kSnapshotHeaderBytes);
  while (!input.empty()) {
    const std::uint32_t pairs = input.byte();
    add_block(&file, input.counted(), pairs);
  }
  (void)load_twice(file, true, step);
}

void read_damaged(fuzz::Input& input, std::size_t step) {
  Pairs pairs;
  std::string file = save(input, &pairs);
  const auto intact = load_twice(file, false, step);
  CHECK(intact.ok() && *intact == pairs);
  const std::size_t at = input.two_bytes() % file.size();
  const std::uint8_t how = input.byte();
  if (how % 3 == 0) {
    file.resize(at);
  } else if (how % 3 == 1) {
    file.insert(at, input.rest());
  } else {
    file[at] = static_cast<char>(file[at] ^ how);
  }
  const auto damaged = load_twice(file, false, step);
  if (damaged.ok()) CHECK(*damaged == pairs);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::uint8_t mode = input.byte();
  const std::size_t step = 1 + input.byte();
  switch (mode % 3) {
    case 0:
      (void)load_twice(input.rest(), mode % 2 == 0, step);
      break;
    case 1:
      read_blocks(input, step);
      break;
    default:
      read_damaged(input, step);
  }
  return 0;
}
