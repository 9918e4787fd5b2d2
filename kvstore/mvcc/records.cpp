#include "mvcc/records.hpp"

#include <limits>

namespace coracle::mvcc {
namespace {

constexpr std::size_t kRecordKeyBytes = 17;
// mvccpb.KeyValue.
constexpr std::uint32_t kKey = 1, kCreate = 2, kMod = 3, kVersion = 4, kValue = 5, kLease = 6;
// protobuf wire types.
constexpr std::uint32_t kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5;

Status broken() { return data_loss("mvcc: a stored record is damaged"); }

struct Field {
  std::uint32_t number = 0;
  std::uint64_t integer = 0;
  std::string_view bytes;
  std::string_view whole;  // with its tag
};

bool take_bytes(std::string_view& in, std::uint64_t length, std::string_view& bytes) {
  if (length > in.size()) return false;
  bytes = in.substr(0, length);
  in.remove_prefix(length);
  return true;
}

bool take_field(std::string_view& in, Field& field) {
  const std::string_view start = in;
  field = {};
  std::uint64_t tag = 0;
  if (!take_varint(in, tag) || tag > std::numeric_limits<std::uint32_t>::max()) return false;
  field.number = static_cast<std::uint32_t>(tag >> 3);
  std::uint64_t length = 0;
  bool good = false;
  switch (tag & 7) {
    case kVarint:
      good = take_varint(in, field.integer);
      break;
    case kFixed64:
      good = take_bytes(in, 8, field.bytes);
      break;
    case kBytes:
      good = take_varint(in, length) && take_bytes(in, length, field.bytes);
      break;
    case kFixed32:
      good = take_bytes(in, 4, field.bytes);
      break;
    default:
      break;
  }
  field.whole = start.substr(0, start.size() - in.size());
  return good && field.number != 0;
}

void append_integer(std::string& out, std::uint32_t number, std::int64_t value) {
  if (value == 0) return;
  append_varint(out, number << 3 | kVarint);
  append_varint(out, static_cast<std::uint64_t>(value));
}

void append_bytes(std::string& out, std::uint32_t number, std::string_view value) {
  if (value.empty()) return;
  append_varint(out, number << 3 | kBytes);
  append_varint(out, value.size());
  out += value;
}

void append_be64(std::string& out, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift);
}

std::uint64_t read_be64(std::string_view bytes) {
  std::uint64_t number = 0;
  for (int i = 0; i < 8; ++i) number = number << 8 | static_cast<unsigned char>(bytes[i]);
  return number;
}

}  // namespace

void append_varint(std::string& out, std::uint64_t number) {
  while (number >= 0x80) {
    out += static_cast<char>(number | 0x80);
    number >>= 7;
  }
  out += static_cast<char>(number);
}

bool take_varint(std::string_view& in, std::uint64_t& number) {
  number = 0;
  for (int shift = 0; shift < 70; shift += 7) {
    if (in.empty()) return false;
    const auto byte = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    number |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

std::string encode_be64(std::int64_t number) {
  std::string out;
  append_be64(out, static_cast<std::uint64_t>(number));
  return out;
}

Result<std::int64_t> decode_be64(std::string_view bytes) {
  if (bytes.size() != 8) return broken();
  return static_cast<std::int64_t>(read_be64(bytes));
}

std::string record_key(std::int64_t main, std::uint32_t sub, bool tombstone) {
  std::string key;
  key.reserve(kRecordKeyBytes + 1);
  append_be64(key, static_cast<std::uint64_t>(main));
  key += '_';
  append_be64(key, sub);
  if (tombstone) key += 't';
  return key;
}

std::string first_record_key(std::int64_t main) { return encode_be64(main); }

Result<VersionRef> parse_record_key(std::string_view key) {
  const bool tombstone = key.size() == kRecordKeyBytes + 1 && key.back() == 't';
  if ((key.size() != kRecordKeyBytes && !tombstone) || key[8] != '_') return broken();
  const std::uint64_t main = read_be64(key);
  const std::uint64_t sub = read_be64(key.substr(9));
  if (main > std::numeric_limits<std::int64_t>::max() || sub >> 31 != 0) return broken();
  VersionRef ref;
  ref.main = static_cast<std::int64_t>(main);
  ref.sub = static_cast<std::uint32_t>(sub);
  ref.tombstone = tombstone ? 1 : 0;
  return ref;
}

std::string encode_kv(const KeyValue& kv) {
  std::string out;
  out.reserve(kv.key.size() + kv.value.size() + 40);
  append_bytes(out, kKey, kv.key);
  append_integer(out, kCreate, kv.create.value);
  append_integer(out, kMod, kv.mod.value);
  append_integer(out, kVersion, kv.version);
  append_bytes(out, kValue, kv.value);
  append_integer(out, kLease, kv.lease.value);
  return out;
}

Result<KeyValue> decode_kv(std::string_view bytes) {
  KeyValue kv;
  Field field;
  while (!bytes.empty()) {
    if (!take_field(bytes, field)) return broken();
    const auto integer = static_cast<std::int64_t>(field.integer);
    switch (field.number) {
      case kKey:
        kv.key = field.bytes;
        break;
      case kCreate:
        kv.create = Revision(integer);
        break;
      case kMod:
        kv.mod = Revision(integer);
        break;
      case kVersion:
        kv.version = integer;
        break;
      case kValue:
        kv.value = field.bytes;
        break;
      case kLease:
        kv.lease = LeaseId(integer);
        break;
      default:
        break;
    }
  }
  return kv;
}

Result<std::string> strip_value(std::string_view bytes) {
  std::string out;
  Field field;
  while (!bytes.empty()) {
    if (!take_field(bytes, field)) return broken();
    if (field.number != kValue) out += field.whole;
  }
  return out;
}

Result<std::string_view> decode_key(std::string_view bytes) {
  Field field;
  while (!bytes.empty()) {
    if (!take_field(bytes, field)) return broken();
    if (field.number == kKey) return field.bytes;
  }
  return broken();
}

}  // namespace coracle::mvcc
