#include "mvcc/key_range.hpp"

namespace coracle::mvcc {

KeyRange KeyRange::of(std::string_view key, std::string_view range_end) {
  if (range_end.empty()) {
    return {std::string(key), std::string(key) + '\0', false, true};
  }
  if (range_end == std::string_view("\0", 1)) return {std::string(key), {}, true, false};
  return {std::string(key), std::string(range_end), false, false};
}

std::string prefix_end(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  if (end.empty()) return std::string(1, '\0');
  end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

}  // namespace coracle::mvcc
