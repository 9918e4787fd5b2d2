// Eight bytes of JSON text looked at in one go. Pure; private to what reads and writes JSON here.
#pragma once

#include <cstdint>

namespace coracle {

inline constexpr std::uint64_t kWordOnes = 0x0101010101010101, kWordTops = 0x8080808080808080;

// Not 0 when one of the eight bytes is one that JSON escapes; the lowest bit that is set is in the
// first of them. A false hit (a borrow from a lower byte) needs a true one below it, so a word
// without hits has none.
inline std::uint64_t json_specials(std::uint64_t word) {
  const auto zeros = [](std::uint64_t x) { return (x - kWordOnes) & ~x & kWordTops; };
  const std::uint64_t low = (word - kWordOnes * 0x20) & ~word & kWordTops;  // below 0x20
  return low | zeros(word ^ kWordOnes * '"') | zeros(word ^ kWordOnes * '\\');
}

}  // namespace coracle
