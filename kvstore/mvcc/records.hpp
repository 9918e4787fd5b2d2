// The stored form of versions in Family::kMvcc; docs/formats/mvcc.md has a byte example.
//   key    8 B big-endian main revision, '_', 8 B big-endian sub-revision, then 't' on tombstones
//   value  mvccpb.KeyValue in protobuf wire bytes; a tombstone's has only the key
// These are etcd's own bytes, so that hash_kv matches it and replies can reuse them.
#pragma once

#include <string>
#include <string_view>

#include "base/status.hpp"
#include "mvcc/key_index.hpp"
#include "mvcc/types.hpp"

namespace coracle::mvcc {

std::string record_key(std::int64_t main, std::uint32_t sub, bool tombstone);
inline std::string record_key(const VersionRef& r) {
  return record_key(r.main, r.sub, r.tombstone != 0);
}
// The first possible record key of a revision: a scan's end.
std::string first_record_key(std::int64_t main);
// `bytes` is left 0. DataLoss if the text is not of this form.
Result<VersionRef> parse_record_key(std::string_view key);

std::string encode_kv(const KeyValue& kv);
// DataLoss on anything that is not a KeyValue; unknown fields are skipped.
Result<KeyValue> decode_kv(std::string_view bytes);
// The same bytes without the value field.
Result<std::string> strip_value(std::string_view bytes);
// Only the key field; a view into `bytes`. DataLoss as above.
Result<std::string_view> decode_key(std::string_view bytes);

std::string encode_be64(std::int64_t number);
Result<std::int64_t> decode_be64(std::string_view bytes);

void append_varint(std::string& out, std::uint64_t number);
// Advances `in`; false if it ends too early or is longer than 10 bytes.
bool take_varint(std::string_view& in, std::uint64_t& number);

}  // namespace coracle::mvcc
