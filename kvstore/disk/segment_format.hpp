// The bytes of a log segment (docs/formats/raft-log.md): pure encoding and the one decision that
// matters, "is this end of the log a torn write or damage?". No I/O; thread-safe.
//
// A segment is a 64-byte header, then records, then zeros. A record is a 32-byte header with its
// own checksum and a payload with its checksum, padded to 32 bytes, so that a record header never
// lies on two disk sectors. All records of one append() share a batch number; the last is marked.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/status.hpp"

namespace coracle::disk {

inline constexpr std::uint32_t kFormatVersion = 1;
inline constexpr size_t kSegmentHeaderBytes = 64;
inline constexpr size_t kRecordHeaderBytes = 32;
inline constexpr size_t kSectorBytes = 512;

// Whose log this is. A folder of another cluster or member is refused.
struct Identity {
  std::uint64_t cluster = 0;
  std::uint64_t member = 0;
  friend bool operator==(const Identity&, const Identity&) = default;
};

struct SegmentHeader {
  Identity identity;
  std::uint64_t sequence = 0;     // 1, 2, 3... also the file's name
  std::uint64_t first_batch = 0;  // of the first batch that may be in it
  Index base_index;               // the last entry before this segment...
  Term base_term;                 // ...and its term
};

// kReset: what came before this segment is void, the log continues behind the segment's base.
enum class RecordKind : std::uint8_t { kHardState = 1, kEntry = 2, kReset = 3 };

struct Record {
  RecordKind kind{};
  bool last_of_batch = false;
  std::uint64_t batch = 0;
  std::uint64_t offset = 0;  // in the segment
  std::string_view payload;  // points into the scanned bytes
};

std::string encode_segment_header(const SegmentHeader& header);
// DataLoss naming the field that is wrong; `file` is for the text only.
Result<SegmentHeader> decode_segment_header(std::string_view bytes, const std::string& file);

void append_record(std::string* out, RecordKind kind, std::string_view payload, std::uint64_t batch,
                   bool last_of_batch);

struct Scan {
  std::vector<Record> records;   // of complete batches only
  std::uint64_t end = 0;         // where the next batch goes
  std::uint64_t next_batch = 0;  // its number
  bool torn = false;             // bytes behind `end` were a torn write and must be zeroed
};

// Reads a whole segment. Only the last segment of a log may end in a torn write. DataLoss naming
// file and offset for everything else.
Result<Scan> scan_segment(std::string_view bytes, const SegmentHeader& header, bool is_last,
                          const std::string& file);

// Little-endian numbers.
void put_u32(std::string* out, std::uint32_t value);
void put_u64(std::string* out, std::uint64_t value);
std::uint32_t get_u32(std::string_view bytes, size_t offset);
std::uint64_t get_u64(std::string_view bytes, size_t offset);

}  // namespace coracle::disk
