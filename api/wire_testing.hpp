// Wire bytes by hand, so that protobuf's decoder and encoder are not tested by twins of themselves.
// For tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace coracle::api {

inline std::string varint(std::uint64_t n) {
  std::string out;
  for (; n >= 0x80; n >>= 7) out += static_cast<char>(0x80 | (n & 0x7f));
  return out + static_cast<char>(n);
}
inline std::string number(int field, std::uint64_t n) { return varint(field << 3) + varint(n); }
inline std::string bytes(int field, std::string_view text) {
  return varint((field << 3) | 2) + varint(text.size()) + std::string(text);
}

}  // namespace coracle::api
