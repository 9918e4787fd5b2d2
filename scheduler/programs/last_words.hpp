// What is said of a program that failed, the same whoever ran it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "programs/child.hpp"

namespace coracle::scheduler {

// Of what a program says on its standard error, the last line is kept.
inline constexpr size_t kComplaintBytesMax = 4096;

class Complaints {
 public:
  // Reads some of what is there: its whole lines, cut to kComplaintBytesMax. Nothing: the end.
  std::optional<std::vector<std::string>> read_from(int fd);
  const std::string& last() const { return last_; }

 private:
  std::string text_, last_;
};

// "no answer within 1s".
std::string no_answer_within(Duration timeout);
// It has closed its output: what it still says is read, and how it ends is seen, within a moment:
// `it ended with exit code 1, its last words: NameError: ...`. The descriptors stay open.
std::string how_it_ended(Child& child, Complaints& complaints);

}  // namespace coracle::scheduler
