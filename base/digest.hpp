// Digest: 128 bits that stand for a longer text, where many are kept only to know one again. Equal
// by chance: practically never. Not for secrets: a collision can be made on purpose.
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

namespace coracle {

struct Digest {
  std::uint64_t high = 0, low = 0;
  friend auto operator<=>(const Digest&, const Digest&) = default;
};

// FNV-1a, and beside it a sum by another odd factor, stirred. The same on every machine. O(n).
constexpr Digest digest_of(std::string_view text) {
  Digest digest{14695981039346656037u, text.size()};
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    digest.high = (digest.high ^ byte) * 1099511628211u;
    digest.low = (digest.low + byte + 1) * 0x9e3779b97f4a7c15u;
    digest.low ^= digest.low >> 29;
  }
  return digest;
}

}  // namespace coracle
