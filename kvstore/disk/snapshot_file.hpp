// The bytes of a saved snapshot (docs/formats/snapshot.md): the whole replicated state at one
// revision as one file, which Maintenance.Snapshot streams and `storectl snapshot` reads.
//
// Owner:  one thread each. No I/O but what the StateReader does.
// Bounds: an encoder holds one block; a decoder one block, at most kBlockBytesMax.
// Errors: decoding takes any bytes; DataLoss names the byte at which they stop making sense, and
//         what the visitor returns ends it. Nothing is visited of a block that does not hold.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/encoding.hpp"
#include "base/ids.hpp"
#include "base/status.hpp"
#include "disk/segment_format.hpp"
#include "mvcc/state_store.hpp"

namespace coracle::disk {

inline constexpr std::uint32_t kSnapshotVersion = 1;
inline constexpr size_t kSnapshotHeaderBytes = 64;
inline constexpr size_t kBlockHeaderBytes = 16;
inline constexpr size_t kBlockBytes = 256 << 10;   // a block ends with the pair that reaches it
inline constexpr size_t kBlockBytesMax = 8 << 20;  // a reader refuses more
inline constexpr size_t kSnapshotDigestBytes = 32;

// Where a snapshot comes from, and when.
struct SnapshotInfo {
  Identity identity;
  Revision revision;
  Index applied;  // the last log entry that is in it...
  Term term;      // ...and its term
  friend bool operator==(const SnapshotInfo&, const SnapshotInfo&) = default;
};

class SnapshotEncoder {
 public:
  // `state` must not change and must outlive the encoder.
  SnapshotEncoder(const mvcc::StateReader& state, const SnapshotInfo& info);

  // Learns the size of one more block; false when all of the state has been measured, which reads
  // it once. Independent of next().
  bool measure_more();
  // Bytes of the whole file, once it is measured.
  std::uint64_t total_bytes() const;
  // The next bytes of the file; the last piece is the digest alone, after it all are empty.
  std::string next();

 private:
  struct Position {
    int family = 0;
    std::string from;
    bool at_end() const { return family >= mvcc::kFamilies; }
  };
  struct Block {
    std::string payload;
    std::uint32_t pairs = 0;
  };

  Block read_block(Position* position) const;
  std::string finish_file();

  const mvcc::StateReader& state_;
  const SnapshotInfo info_;
  Position position_, measured_;
  std::uint64_t measured_bytes_ = 0;  // of blocks
  Sha256 sha_;
  std::uint64_t bytes_ = 0;
  std::uint64_t pairs_ = 0;
  std::uint32_t hash_ = 0;
  enum class Next { kHeader, kBlock, kDigest, kNothing } next_ = Next::kHeader;
};

struct SnapshotSummary {
  SnapshotInfo info;
  std::uint64_t pairs = 0;
  std::uint64_t bytes = 0;  // of the file
  std::uint32_t hash = 0;   // CRC-32C of all pairs: equal states, equal hashes
};

class SnapshotDecoder {
 public:
  using Visit = std::function<Status(mvcc::Family, std::string_view key, std::string_view value)>;

  // `skip_digest`: the trailing SHA-256 may be wrong or missing. Blocks are checked all the same.
  explicit SnapshotDecoder(Visit visit, bool skip_digest = false);

  // Parts of any size. After an error every call gives that error.
  Status feed(std::string_view bytes);
  // DataLoss when the file is cut short or its digest is wrong.
  Result<SnapshotSummary> finish();

 private:
  enum class Stage { kHeader, kBlockHeader, kPayload, kTotals, kPadding, kDigest, kOver };

  Status take(std::string_view part);
  Status take_header(std::string_view part);
  Status take_block_header(std::string_view part);
  Status take_payload(std::string_view part);
  Status take_totals(std::string_view part);
  void expect(Stage stage, size_t bytes);
  Status broken(std::string_view what) const;

  const Visit visit_;
  const bool skip_digest_;
  Status failure_;
  Stage stage_ = Stage::kHeader;
  size_t need_ = kSnapshotHeaderBytes;
  std::string buffer_;  // less than need_
  std::uint64_t offset_ = 0;
  Sha256 sha_;
  std::string wanted_digest_;
  std::uint32_t payload_pairs_ = 0, payload_crc_ = 0;
  int last_family_ = -1;
  std::string last_key_;
  SnapshotSummary summary_;
};

// A whole file in memory.
Result<SnapshotSummary> decode_snapshot(std::string_view bytes, const SnapshotDecoder::Visit& visit,
                                        bool skip_digest = false);

}  // namespace coracle::disk
