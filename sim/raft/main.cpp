// raft-sim: runs the simulated world of the Raft core from seeds (docs/store/raft.md).
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "base/check.hpp"
#include "raft_sim/world.hpp"

namespace coracle::raft_sim {
namespace {

struct Options {
  std::uint64_t seeds = 0;
  std::uint64_t from = 1;
  std::uint64_t until = UINT64_MAX;
  bool trace = false;
  std::vector<std::uint64_t> chosen;
};

std::uint64_t current_seed = 0;
const World* current_world = nullptr;

std::string replay_line(std::uint64_t seed, std::uint64_t event) {
  return "replay: raft-sim --seed " + std::to_string(seed) + " --until " + std::to_string(event) +
         " --trace\n";
}

// A CHECK aborts; say how to get there before it does.
void on_abort(int) {
  std::fputs("FAIL by CHECK    ", stdout);
  std::fputs(replay_line(current_seed, current_world ? current_world->events() : 0).c_str(),
             stdout);
  std::fflush(stdout);
}

std::uint64_t number(const std::string& flag, const char* text) {
  char* end = nullptr;
  const std::uint64_t value = text ? std::strtoull(text, &end, 10) : 0;
  if (!text || *text == '\0' || *end != '\0') fail_startup(flag + ": a number is needed");
  return value;
}

void read_seeds(const std::string& path, std::vector<std::uint64_t>& out) {
  std::ifstream file(path);
  if (!file) fail_startup("--regressions: cannot read " + path);
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') out.push_back(std::strtoull(line.c_str(), nullptr, 10));
  }
}

Options parse(int argc, char** argv) {
  Options o;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--trace") {
      o.trace = true;
      continue;
    }
    const char* value = i + 1 < argc ? argv[++i] : nullptr;
    if (flag == "--seeds")
      o.seeds = number(flag, value);
    else if (flag == "--from")
      o.from = number(flag, value);
    else if (flag == "--seed")
      o.chosen.push_back(number(flag, value));
    else if (flag == "--until")
      o.until = number(flag, value);
    else if (flag == "--regressions" && value)
      read_seeds(value, o.chosen);
    else
      fail_startup(flag +
                   ": unknown; known: --seeds N, --from SEED, --seed SEED, "
                   "--until EVENT, --trace, --regressions FILE");
  }
  if (o.seeds == 0 && o.chosen.empty()) fail_startup("--seeds N or --seed SEED is needed");
  for (std::uint64_t i = 0; i < o.seeds; ++i) o.chosen.push_back(o.from + i);
  return o;
}

int run(const Options& options) {
  World::TraceSink sink;
  if (options.trace) sink = [](const std::string& line) { std::cout << line << "\n"; };
  std::signal(SIGABRT, on_abort);
  Outcome total;
  for (const std::uint64_t seed : options.chosen) {
    World world(seed, sink);
    current_seed = seed;
    current_world = &world;
    const Outcome outcome = world.run(options.until);
    current_world = nullptr;
    if (!outcome.failure.empty()) {
      std::cout << "FAIL at event " << outcome.events << ": " << outcome.failure << "    "
                << replay_line(seed, outcome.events);
      return 1;
    }
    total.events += outcome.events;
    total.writes += outcome.writes;
    total.reads += outcome.reads;
  }
  std::cout << "ok: " << options.chosen.size() << " seeds, " << total.events << " events, "
            << total.writes << " writes and " << total.reads << " reads acknowledged\n";
  return 0;
}

}  // namespace
}  // namespace coracle::raft_sim

int main(int argc, char** argv) {
  return coracle::raft_sim::run(coracle::raft_sim::parse(argc, argv));
}
