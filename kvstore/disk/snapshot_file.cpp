#include "disk/snapshot_file.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.hpp"
#include "mvcc/records.hpp"

namespace coracle::disk {
namespace {

constexpr std::string_view kMagic = "CORASNAP";
constexpr size_t kTotalsBytes = 16;
// Clients of etcd take a saved file for whole only if it is so many sectors and a digest.
constexpr size_t kPadTo = 512;

std::string encode_header(const SnapshotInfo& info) {
  std::string out(kMagic);
  put_u32(&out, kSnapshotVersion);
  put_u32(&out, 0);
  put_u64(&out, info.identity.cluster);
  put_u64(&out, info.identity.member);
  put_u64(&out, std::uint64_t(info.revision.value));
  put_u64(&out, info.applied.value);
  put_u64(&out, info.term.value);
  put_u32(&out, 0);
  put_u32(&out, crc32c(out));
  return out;
}

std::string encode_block_header(std::uint32_t length, std::uint32_t pairs, std::uint32_t crc) {
  std::string out;
  put_u32(&out, length);
  put_u32(&out, pairs);
  put_u32(&out, crc);
  put_u32(&out, crc32c(out));
  return out;
}

size_t padding_for(std::uint64_t bytes) { return (kPadTo - bytes % kPadTo) % kPadTo; }

}  // namespace

SnapshotEncoder::SnapshotEncoder(const mvcc::StateReader& state, const SnapshotInfo& info)
    : state_(state), info_(info) {}

SnapshotEncoder::Block SnapshotEncoder::read_block(Position* position) const {
  Block block;
  while (!position->at_end() && block.payload.size() < kBlockBytes) {
    const auto family = mvcc::Family(position->family);
    bool stopped = false;
    state_.scan(family, position->from, "", [&](std::string_view key, std::string_view value) {
      block.payload += char(position->family);
      mvcc::append_varint(block.payload, key.size());
      mvcc::append_varint(block.payload, value.size());
      block.payload += key;
      block.payload += value;
      ++block.pairs;
      if (block.payload.size() < kBlockBytes) return true;
      position->from = std::string(key) + '\0';
      stopped = true;
      return false;
    });
    if (!stopped) *position = {position->family + 1, ""};
  }
  return block;
}

bool SnapshotEncoder::measure_more() {
  const Block block = read_block(&measured_);
  if (block.pairs > 0) measured_bytes_ += kBlockHeaderBytes + block.payload.size();
  return !measured_.at_end();
}

std::uint64_t SnapshotEncoder::total_bytes() const {
  CHECK(measured_.at_end());
  const std::uint64_t bytes =
      kSnapshotHeaderBytes + measured_bytes_ + kBlockHeaderBytes + kTotalsBytes;
  return bytes + padding_for(bytes) + kSnapshotDigestBytes;
}

// The block without pairs: totals, and zeros up to a full sector.
std::string SnapshotEncoder::finish_file() {
  std::string totals;
  put_u64(&totals, pairs_);
  put_u32(&totals, hash_);
  put_u32(&totals, 0);
  std::string out = encode_block_header(kTotalsBytes, 0, crc32c(totals)) + totals;
  out.append(padding_for(bytes_ + out.size()), '\0');
  return out;
}

std::string SnapshotEncoder::next() {
  std::string out;
  switch (next_) {
    case Next::kHeader:
      out = encode_header(info_);
      next_ = Next::kBlock;
      break;
    case Next::kBlock: {
      const Block block = read_block(&position_);
      if (block.pairs == 0) {
        out = finish_file();
        next_ = Next::kDigest;
        break;
      }
      pairs_ += block.pairs;
      hash_ = crc32c(block.payload, hash_);
      out = encode_block_header(std::uint32_t(block.payload.size()), block.pairs,
                                crc32c(block.payload));
      out += block.payload;
      break;
    }
    case Next::kDigest:
      next_ = Next::kNothing;
      return sha_.finish();
    case Next::kNothing:
      return {};
  }
  sha_.add(out);
  bytes_ += out.size();
  return out;
}

SnapshotDecoder::SnapshotDecoder(Visit visit, bool skip_digest)
    : visit_(std::move(visit)), skip_digest_(skip_digest) {}

Status SnapshotDecoder::broken(std::string_view what) const {
  return data_loss(fmt::format("snapshot: byte {}: {}", offset_, what));
}

void SnapshotDecoder::expect(Stage stage, size_t bytes) {
  stage_ = stage;
  need_ = bytes;
}

Status SnapshotDecoder::feed(std::string_view bytes) {
  while (failure_.ok() && !bytes.empty()) {
    if (stage_ == Stage::kOver) return failure_ = broken("there are bytes behind the digest");
    const size_t step = std::min(need_ - buffer_.size(), bytes.size());
    if (buffer_.empty() && step == need_) {
      failure_ = take(bytes.substr(0, step));
    } else {
      buffer_ += bytes.substr(0, step);
      if (buffer_.size() < need_) return {};
      failure_ = take(buffer_);
      buffer_.clear();
    }
    bytes.remove_prefix(step);
  }
  return failure_;
}

Status SnapshotDecoder::take(std::string_view part) {
  if (stage_ != Stage::kDigest) sha_.add(part);
  switch (stage_) {
    case Stage::kHeader:
      RETURN_IF_ERROR(take_header(part));
      break;
    case Stage::kBlockHeader:
      RETURN_IF_ERROR(take_block_header(part));
      break;
    case Stage::kPayload:
      RETURN_IF_ERROR(take_payload(part));
      break;
    case Stage::kTotals:
      RETURN_IF_ERROR(take_totals(part));
      break;
    case Stage::kPadding:
      if (part.find_first_not_of('\0') != std::string_view::npos) {
        return broken("the padding is not zero");
      }
      expect(Stage::kDigest, kSnapshotDigestBytes);
      break;
    case Stage::kDigest:
      wanted_digest_ = part;
      expect(Stage::kOver, 0);
      break;
    case Stage::kOver:
      break;
  }
  offset_ += part.size();
  return {};
}

Status SnapshotDecoder::take_header(std::string_view part) {
  if (!part.starts_with(kMagic)) {
    return broken("this is not a snapshot of this store (no CORASNAP)");
  }
  if (crc32c(part.substr(0, 60)) != get_u32(part, 60)) return broken("the header is damaged");
  if (const std::uint32_t version = get_u32(part, 8); version != kSnapshotVersion) {
    return broken(
        fmt::format("format version {}; this program reads {}", version, kSnapshotVersion));
  }
  summary_.info.identity = {get_u64(part, 16), get_u64(part, 24)};
  summary_.info.revision = Revision(std::int64_t(get_u64(part, 32)));
  summary_.info.applied = Index(get_u64(part, 40));
  summary_.info.term = Term(get_u64(part, 48));
  if (summary_.info.revision.value < 1) return broken("the header has no revision");
  expect(Stage::kBlockHeader, kBlockHeaderBytes);
  return {};
}

Status SnapshotDecoder::take_block_header(std::string_view part) {
  if (crc32c(part.substr(0, 12)) != get_u32(part, 12)) return broken("a block header is damaged");
  const std::uint32_t length = get_u32(part, 0);
  payload_pairs_ = get_u32(part, 4);
  payload_crc_ = get_u32(part, 8);
  if (payload_pairs_ == 0) {
    if (length != kTotalsBytes) return broken("the last block has a wrong length");
    expect(Stage::kTotals, length);
    return {};
  }
  if (length == 0 || length > kBlockBytesMax) return broken("a block has an impossible length");
  expect(Stage::kPayload, length);
  return {};
}

Status SnapshotDecoder::take_payload(std::string_view part) {
  if (crc32c(part) != payload_crc_) return broken("a block is damaged");
  std::string_view rest = part;
  for (std::uint32_t i = 0; i < payload_pairs_; ++i) {
    if (rest.empty()) return broken("a block has fewer pairs than it says");
    const int family = static_cast<unsigned char>(rest[0]);
    rest.remove_prefix(1);
    std::uint64_t key_bytes = 0, value_bytes = 0;
    if (!mvcc::take_varint(rest, key_bytes) || !mvcc::take_varint(rest, value_bytes) ||
        key_bytes > rest.size() || value_bytes > rest.size() - key_bytes) {
      return broken("a pair does not fit its block");
    }
    const std::string_view key = rest.substr(0, key_bytes);
    const std::string_view value = rest.substr(key_bytes, value_bytes);
    rest.remove_prefix(key_bytes + value_bytes);
    if (family >= mvcc::kFamilies) return broken("a pair of an unknown family");
    if (family < last_family_ || (family == last_family_ && key <= last_key_)) {
      return broken("pairs are out of order");
    }
    last_family_ = family;
    last_key_ = key;
    RETURN_IF_ERROR(visit_(mvcc::Family(family), key, value));
  }
  if (!rest.empty()) return broken("a block has more bytes than pairs");
  summary_.pairs += payload_pairs_;
  summary_.hash = crc32c(part, summary_.hash);
  expect(Stage::kBlockHeader, kBlockHeaderBytes);
  return {};
}

Status SnapshotDecoder::take_totals(std::string_view part) {
  if (crc32c(part) != payload_crc_) return broken("the totals are damaged");
  if (get_u64(part, 0) != summary_.pairs) return broken("pairs are missing");
  if (get_u32(part, 8) != summary_.hash) return broken("the pairs are not those that were saved");
  const size_t padding = padding_for(offset_ + part.size());
  if (padding > 0) {
    expect(Stage::kPadding, padding);
  } else {
    expect(Stage::kDigest, kSnapshotDigestBytes);
  }
  return {};
}

Result<SnapshotSummary> SnapshotDecoder::finish() {
  RETURN_IF_ERROR(failure_);
  if (stage_ != Stage::kOver && !(skip_digest_ && stage_ == Stage::kDigest)) {
    return broken(stage_ == Stage::kDigest ? "the SHA-256 at the end is missing"
                                           : "the file is cut short");
  }
  if (!skip_digest_ && sha_.finish() != wanted_digest_) {
    return broken("the SHA-256 at the end is not that of the file");
  }
  summary_.bytes = offset_ + buffer_.size();
  return summary_;
}

Result<SnapshotSummary> decode_snapshot(std::string_view bytes, const SnapshotDecoder::Visit& visit,
                                        bool skip_digest) {
  SnapshotDecoder decoder(visit, skip_digest);
  RETURN_IF_ERROR(decoder.feed(bytes));
  return decoder.finish();
}

}  // namespace coracle::disk
