// LogBuffer: what a container has printed, a line at a time, oldest first. Pure.
//
// Bound: kLogLinesMax lines and kLogBytesMax bytes; over it the oldest lines go, and first_number()
// tells a follower how many have gone: line i of the buffer is number first_number() + i.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "base/clock.hpp"

namespace coracle::kubelet {

struct LogLine {
  WallTime time;
  std::string text;  // without its newline
};

inline constexpr size_t kLogLinesMax = 10'000;
inline constexpr size_t kLogBytesMax = 2u << 20;

class LogBuffer {
 public:
  void push_back(LogLine line) {
    bytes_ += cost(line);
    lines_.push_back(std::move(line));
    while (lines_.size() > kLogLinesMax || (bytes_ > kLogBytesMax && lines_.size() > 1)) {
      bytes_ -= cost(lines_.front());
      lines_.pop_front();
      ++first_number_;
    }
  }
  void clear() { *this = LogBuffer(); }

  size_t size() const { return lines_.size(); }
  bool empty() const { return lines_.empty(); }
  const LogLine& operator[](size_t i) const { return lines_[i]; }
  auto begin() const { return lines_.begin(); }
  auto end() const { return lines_.end(); }
  std::uint64_t first_number() const { return first_number_; }
  std::uint64_t next_number() const { return first_number_ + lines_.size(); }

 private:
  static size_t cost(const LogLine& line) { return line.text.size() + sizeof(LogLine); }

  std::deque<LogLine> lines_;
  size_t bytes_ = 0;
  std::uint64_t first_number_ = 0;
};

}  // namespace coracle::kubelet
