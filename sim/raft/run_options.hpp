// What the programs that run simulated worlds are told, and how a failure says where it is.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace coracle::raft_sim {

struct RunOptions {
  std::vector<std::uint64_t> seeds;
  std::uint64_t until = UINT64_MAX;
  bool trace = false;
};

// --seeds N or A..B, --seed, --until, --trace, --regressions FILE, and the program's `own`, which
// each take a value. Wrong ones end the process (exit 2).
using OwnFlags = std::map<std::string, std::function<void(const std::string& value)>>;
RunOptions parse_run_options(int argc, char** argv, const OwnFlags& own = {});
std::uint64_t parse_count(const std::string& flag, const std::string& text);

std::string replay_line(const std::string& program, std::uint64_t seed, std::uint64_t event);

// While it lives, a CHECK that fails on this thread says how to get there before it aborts.
class Replayable {
 public:
  Replayable(std::string program, std::uint64_t seed, std::function<std::uint64_t()> event);
  ~Replayable();
  Replayable(const Replayable&) = delete;
  Replayable& operator=(const Replayable&) = delete;

 private:
  static void on_abort(int);
  const std::string program_;
  const std::uint64_t seed_;
  const std::function<std::uint64_t()> event_;
};

}  // namespace coracle::raft_sim
