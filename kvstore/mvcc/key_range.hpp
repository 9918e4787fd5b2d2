// The key interval that etcd's (key, range_end) pair names: [begin, end), or [begin, infinity).
//   end ""    the single key          end "\0"   every key >= begin          end <= begin   nothing
#pragma once

#include <string>
#include <string_view>

namespace coracle::mvcc {

struct KeyRange {
  std::string begin;
  std::string end;         // exclusive; meaningless when unbounded
  bool unbounded = false;  // no upper end
  bool single = false;     // exactly `begin`

  static KeyRange of(std::string_view key, std::string_view range_end);

  bool contains(std::string_view key) const {
    return single ? key == begin : key >= begin && (unbounded || key < end);
  }
  bool empty() const { return !unbounded && end <= begin; }
  friend bool operator==(const KeyRange&, const KeyRange&) = default;
};

// The range_end that makes `prefix` a prefix: last byte + 1, trailing 0xff dropped, "\0" if none.
std::string prefix_end(std::string_view prefix);

}  // namespace coracle::mvcc
