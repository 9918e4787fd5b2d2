// The bytes of a fuzzer, taken apart. An input that is too short gives zeros and empty strings.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace coracle::fuzz {

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size)
      : rest_(reinterpret_cast<const char*>(data), size) {}

  bool empty() const { return rest_.empty(); }
  std::uint8_t byte() {
    const std::string_view one = take(1);
    return one.empty() ? 0 : static_cast<std::uint8_t>(one[0]);
  }
  std::uint32_t two_bytes() {
    const std::uint32_t high = byte();
    return high << 8 | byte();
  }
  std::string_view take(std::size_t count) {
    const std::string_view part = rest_.substr(0, std::min(count, rest_.size()));
    rest_.remove_prefix(part.size());
    return part;
  }
  // Its length in two bytes, then so many.
  std::string_view counted() { return take(two_bytes()); }
  std::string_view rest() { return take(rest_.size()); }

 private:
  std::string_view rest_;
};

}  // namespace coracle::fuzz
