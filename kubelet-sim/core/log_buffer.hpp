// LogBuffer: what a container has printed, a line at a time, oldest first. Pure.
//
// Bound: kLogLinesMax lines and kLogBytesMax bytes; over it the oldest lines go, and first_number()
// tells a follower how many have gone: line i of the buffer is number first_number() + i.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"

namespace coracle::kubelet {

struct LogLine {
  WallTime time;
  std::string text;   // without its newline
  bool whole = true;  // false: it had none, the next one goes on with it
};

inline constexpr size_t kLogLinesMax = 10'000;
inline constexpr size_t kLogBytesMax = 2u << 20;

// Nothing is allocated before the first line: most scripted containers of a large cluster have
// none.
class LogBuffer {
 public:
  void push_back(LogLine line) {
    bytes_ += cost(line);
    lines_.push_back(std::move(line));
    while (size() > kLogLinesMax || (bytes_ > kLogBytesMax && size() > 1)) {
      bytes_ -= cost(lines_[gone_]);
      lines_[gone_] = {};
      ++gone_;
      ++first_number_;
    }
    if (gone_ <= kLogLinesMax / 2 && gone_ * 2 <= lines_.size()) return;
    lines_.erase(lines_.begin(), lines_.begin() + static_cast<std::ptrdiff_t>(gone_));
    gone_ = 0;
  }
  void clear() { *this = LogBuffer(); }

  size_t size() const { return lines_.size() - gone_; }
  bool empty() const { return size() == 0; }
  const LogLine& operator[](size_t i) const { return lines_[gone_ + i]; }
  auto begin() const { return lines_.begin() + static_cast<std::ptrdiff_t>(gone_); }
  auto end() const { return lines_.end(); }
  std::uint64_t first_number() const { return first_number_; }
  std::uint64_t next_number() const { return first_number_ + size(); }

 private:
  static size_t cost(const LogLine& line) { return line.text.size() + sizeof(LogLine); }

  std::vector<LogLine> lines_;
  size_t gone_ = 0;  // at the front of lines_, already dropped
  size_t bytes_ = 0;
  std::uint64_t first_number_ = 0;
};

}  // namespace coracle::kubelet
