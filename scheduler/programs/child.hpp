// Child processes that speak in lines over their standard input and output. Thin: system calls and
// their words; who waits, and how long, is the caller's.
//
// A child has its own session, and dies with the thread that started it (Linux: parent-death
// signal). Its descriptors of ours do not block and are closed on exec.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/status.hpp"

namespace coracle::scheduler {

struct Child {
  pid_t pid = 0;                      // 0: it has ended
  int in = -1, out = -1, error = -1;  // we write to the first, and read from the others
};
// Runs command[0], found as the shell finds it, in `directory` (empty: ours). Unavailable:
// `python4: No such file or directory`.
Result<Child> start_child(const std::vector<std::string>& command, const std::string& directory);
// Where command[0] would be found; NotFound.
Result<std::string> find_program(const std::string& name, const std::string& directory);
// Waits until it ends, but not longer than `grace`: then it is killed, with all it started. "exit
// code 3", "signal 11 (Segmentation fault)"; "" when it had been ended before.
std::string wait_child(Child& child, Duration grace);
// The same, and closes its descriptors.
std::string end_child(Child& child, Duration grace);

// Collects lines from a descriptor. Bound: bytes_max of a line.
class LineReader {
 public:
  explicit LineReader(size_t bytes_max) : bytes_max_(bytes_max) {}
  // Takes what can be read without waiting. False: the end. ResourceExhausted: a line too long.
  Result<bool> read_from(int fd);
  std::optional<std::string> next();

 private:
  size_t bytes_max_;
  std::string text_;
  size_t searched_ = 0;
};

// Writes what goes without waiting, and cuts it off `text`. Unavailable: nobody reads any more.
Status write_some(int fd, std::string_view* text);

}  // namespace coracle::scheduler
