#include "disk/segment_format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/encoding.hpp"

namespace coracle::disk {
namespace {

constexpr std::string_view kMagic = "CORACLOG";

// Record header: header crc 4, payload crc 4, payload length 4, kind 1, last 1, zero 2, batch 8,
// zero 8.
constexpr size_t kBatchAt = 16;

size_t padded(size_t length) {
  return (length + kRecordHeaderBytes - 1) / kRecordHeaderBytes * kRecordHeaderBytes;
}

bool all_zero(std::string_view bytes) {
  return bytes.empty() ||
         (bytes[0] == 0 && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

struct RecordHeader {
  std::uint32_t payload_crc, length;
  std::uint8_t kind;
  bool last;
  std::uint64_t batch;
};

std::optional<RecordHeader> parse_record_header(std::string_view bytes, size_t at) {
  if (at + kRecordHeaderBytes > bytes.size()) return std::nullopt;
  const std::string_view raw = bytes.substr(at, kRecordHeaderBytes);
  if (get_u32(raw, 0) != crc32c(raw.substr(4))) return std::nullopt;
  return RecordHeader{get_u32(raw, 4), get_u32(raw, 8), std::uint8_t(raw[12]), raw[13] != 0,
                      get_u64(raw, kBatchAt)};
}

// The first whole record header at or behind `from` that belongs to a batch after `batch`.
std::optional<size_t> find_later_batch(std::string_view bytes, size_t from, std::uint64_t batch) {
  for (size_t at = padded(from); at + kRecordHeaderBytes <= bytes.size();
       at += kRecordHeaderBytes) {
    if (all_zero(bytes.substr(at, kRecordHeaderBytes))) continue;
    const auto header = parse_record_header(bytes, at);
    if (header && header->batch > batch) return at;
  }
  return std::nullopt;
}

// A torn write leaves at least one sector as it was before: zeros. A flipped bit does not.
bool has_unwritten_sector(std::string_view bytes, size_t from, size_t to) {
  if (to > bytes.size()) return true;
  while (from < to) {
    const size_t sector_end = std::min((from / kSectorBytes + 1) * kSectorBytes, to);
    if (all_zero(bytes.substr(from, sector_end - from))) return true;
    from = sector_end;
  }
  return false;
}

Status damage(const std::string& file, size_t offset, std::string_view what) {
  return data_loss(fmt::format("{}: damaged at offset {}: {}", file, offset, what));
}

// What the reader met where a record should be.
struct Stop {
  size_t offset;
  bool clean;         // zeros: nothing was written here
  size_t extent_end;  // of the record that fails its checksum
  std::string_view what;
};

}  // namespace

void put_u32(std::string* out, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) out->push_back(char(value >> (8 * i)));
}

void put_u64(std::string* out, std::uint64_t value) {
  for (int i = 0; i < 8; ++i) out->push_back(char(value >> (8 * i)));
}

std::uint32_t get_u32(std::string_view bytes, size_t offset) {
  std::uint32_t value = 0;
  for (int i = 3; i >= 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[offset + i]);
  return value;
}

std::uint64_t get_u64(std::string_view bytes, size_t offset) {
  return std::uint64_t(get_u32(bytes, offset + 4)) << 32 | get_u32(bytes, offset);
}

std::string encode_segment_header(const SegmentHeader& header) {
  std::string body;
  put_u32(&body, kFormatVersion);
  put_u64(&body, header.identity.cluster);
  put_u64(&body, header.identity.member);
  put_u64(&body, header.sequence);
  put_u64(&body, header.first_batch);
  put_u64(&body, header.base_index.value);
  put_u64(&body, header.base_term.value);
  std::string out(kMagic);
  out += body;
  put_u32(&out, crc32c(out));
  CHECK(out.size() == kSegmentHeaderBytes);
  return out;
}

Result<SegmentHeader> decode_segment_header(std::string_view bytes, const std::string& file) {
  if (bytes.size() < kSegmentHeaderBytes) return damage(file, 0, "the segment header is cut off");
  if (bytes.substr(0, kMagic.size()) != kMagic) return damage(file, 0, "not a log segment");
  if (get_u32(bytes, 60) != crc32c(bytes.substr(0, 60))) {
    return damage(file, 0, "the segment header fails its checksum");
  }
  if (const std::uint32_t version = get_u32(bytes, 8); version != kFormatVersion) {
    return failed_precondition(fmt::format("{}: log format {} is not one this program reads ({})",
                                           file, version, kFormatVersion));
  }
  SegmentHeader header;
  header.identity = {get_u64(bytes, 12), get_u64(bytes, 20)};
  header.sequence = get_u64(bytes, 28);
  header.first_batch = get_u64(bytes, 36);
  header.base_index = Index(get_u64(bytes, 44));
  header.base_term = Term(get_u64(bytes, 52));
  return header;
}

void append_record(std::string* out, RecordKind kind, std::string_view payload, std::uint64_t batch,
                   bool last_of_batch) {
  std::string header;
  put_u32(&header, crc32c(payload));
  put_u32(&header, std::uint32_t(payload.size()));
  header.push_back(char(kind));
  header.push_back(char(last_of_batch));
  header.append(2, '\0');
  put_u64(&header, batch);
  put_u64(&header, 0);
  put_u32(out, crc32c(header));
  *out += header;
  *out += payload;
  out->append(padded(payload.size()) - payload.size(), '\0');
}

Result<Scan> scan_segment(std::string_view bytes, const SegmentHeader& header, bool is_last,
                          const std::string& file) {
  Scan scan;
  scan.end = kSegmentHeaderBytes;
  scan.next_batch = header.first_batch;
  std::vector<Record> open_batch;  // its last record has not come yet
  size_t at = kSegmentHeaderBytes;
  Stop stop{at, true, at, "unexpected zeros"};
  while (true) {
    stop = Stop{at, true, at, "unexpected zeros"};
    if (at + kRecordHeaderBytes > bytes.size()) break;
    if (all_zero(bytes.substr(at, kRecordHeaderBytes))) break;
    const auto record = parse_record_header(bytes, at);
    if (!record) return damage(file, at, "a record header fails its checksum");
    if (record->batch != scan.next_batch) return damage(file, at, "a batch is missing");
    const size_t payload_at = at + kRecordHeaderBytes;
    const size_t end = payload_at + padded(record->length);
    stop = Stop{at, false, end, "a record's payload fails its checksum"};
    if (end > bytes.size()) break;
    const std::string_view payload = bytes.substr(payload_at, record->length);
    if (crc32c(payload) != record->payload_crc) break;
    open_batch.push_back({RecordKind(record->kind), record->last, record->batch, at, payload});
    at = end;
    if (!record->last) continue;
    scan.records.insert(scan.records.end(), open_batch.begin(), open_batch.end());
    open_batch.clear();
    scan.end = at;
    ++scan.next_batch;
  }
  // A later batch was written only after this one was on the disk, so this one cannot be torn.
  if (find_later_batch(bytes, stop.offset, scan.next_batch)) {
    return damage(file, stop.offset, stop.what);
  }
  if (!stop.clean && !has_unwritten_sector(bytes, stop.offset, stop.extent_end)) {
    return damage(file, stop.offset, stop.what);
  }
  scan.torn = !all_zero(bytes.substr(std::min<size_t>(scan.end, bytes.size())));
  if (scan.torn && !is_last) return damage(file, stop.offset, "a torn write inside the log");
  return scan;
}

}  // namespace coracle::disk
