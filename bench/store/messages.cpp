#include "bench_store/messages.hpp"

namespace coracle::bench {
namespace {

void put_varint(std::string* out, std::uint64_t v) {
  for (; v >= 0x80; v >>= 7) out->push_back(char(v | 0x80));
  out->push_back(char(v));
}

void put_integer(std::string* out, std::uint32_t number, std::int64_t v) {
  if (v == 0) return;
  put_varint(out, number << 3);
  put_varint(out, std::uint64_t(v));
}

void put_bytes(std::string* out, std::uint32_t number, std::string_view v) {
  if (v.empty()) return;
  put_varint(out, number << 3 | 2);
  put_varint(out, v.size());
  out->append(v);
}

bool take_varint(std::string_view* in, std::uint64_t* v) {
  *v = 0;
  for (int shift = 0; shift < 70; shift += 7) {
    if (in->empty()) return false;
    const auto byte = static_cast<unsigned char>(in->front());
    in->remove_prefix(1);
    *v |= std::uint64_t(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

// Compare{result EQUAL, target MOD, key, mod_revision}. A union's member is sent even if it is 0.
std::string compare_mod(std::string_view key, std::int64_t mod) {
  constexpr std::int64_t kMod = 2;
  std::string out;
  put_integer(&out, 2, kMod);
  put_bytes(&out, 3, key);
  out.push_back(6 << 3);
  put_varint(&out, std::uint64_t(mod));
  return out;
}

std::string txn(const std::string& compare, std::uint32_t op_kind, const std::string& op,
                const std::string& otherwise) {
  std::string success, failure, out;
  put_bytes(&success, op_kind, op);
  put_bytes(&out, 1, compare);
  put_bytes(&out, 2, success);
  if (!otherwise.empty()) {
    put_bytes(&failure, 1, otherwise);
    put_bytes(&out, 3, failure);
  }
  return out;
}

std::int64_t revision_in(std::string_view header) {
  Field field;
  while (next_field(&header, &field)) {
    if (field.number == 3) return std::int64_t(field.integer);
  }
  return 0;
}

}  // namespace

bool next_field(std::string_view* in, Field* field) {
  std::uint64_t tag = 0, length = 0;
  if (!take_varint(in, &tag)) return false;
  field->number = std::uint32_t(tag >> 3);
  if ((tag & 7) == 0) return take_varint(in, &field->integer);
  if ((tag & 7) != 2 || !take_varint(in, &length) || length > in->size()) return false;
  field->bytes = in->substr(0, length);
  in->remove_prefix(length);
  return true;
}

std::string range_request(const Range& range) {
  std::string out;
  put_bytes(&out, 1, range.key);
  put_bytes(&out, 2, range.range_end);
  put_integer(&out, 3, range.limit);
  put_integer(&out, 7, range.serializable ? 1 : 0);
  return out;
}

std::string put_request(std::string_view key, std::string_view value) {
  std::string out;
  out.reserve(key.size() + value.size() + 16);
  put_bytes(&out, 1, key);
  put_bytes(&out, 2, value);
  return out;
}

std::string txn_put(std::string_view key, std::int64_t mod, std::string_view value) {
  return txn(compare_mod(key, mod), 2, put_request(key, value),
             mod == 0 ? std::string() : range_request({key}));
}

std::string txn_delete(std::string_view key, std::int64_t mod) {
  std::string op;
  put_bytes(&op, 1, key);
  return txn(compare_mod(key, mod), 3, op, range_request({key}));
}

std::string watch_request(std::string_view key, std::string_view range_end, bool prev_kv) {
  std::string create, out;
  put_bytes(&create, 1, key);
  put_bytes(&create, 2, range_end);
  put_integer(&create, 6, prev_kv ? 1 : 0);
  put_bytes(&out, 1, create);
  return out;
}

Answer read_txn(std::string_view message) {
  Answer answer;
  Field field;
  while (next_field(&message, &field)) {
    if (field.number == 1) answer.revision = revision_in(field.bytes);
    if (field.number == 2) answer.succeeded = field.integer != 0;
  }
  return answer;
}

Answer read_range(std::string_view message) {
  Answer answer;
  Field field;
  while (next_field(&message, &field)) {
    if (field.number == 1) answer.revision = revision_in(field.bytes);
    if (field.number == 2) ++answer.count;  // of those in the part we kept
  }
  return answer;
}

}  // namespace coracle::bench
