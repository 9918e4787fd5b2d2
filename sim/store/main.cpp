// store-sim: runs the simulated world of whole store members from seeds (docs/store/simulation.md).
#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/check.hpp"
#include "base/log.hpp"
#include "linearize/history_json.hpp"
#include "store_sim/world.hpp"

namespace coracle::store_sim {
namespace {

struct Options {
  std::uint64_t until = UINT64_MAX;
  bool trace = false;
  int jobs = 1;
  std::string history;
  std::vector<std::uint64_t> seeds;
};

thread_local std::uint64_t current_seed = 0;
thread_local const World* current_world = nullptr;

std::string replay_line(std::uint64_t seed, std::uint64_t event) {
  return "replay: store-sim --seed " + std::to_string(seed) + " --until " + std::to_string(event) +
         " --trace\n";
}

// A CHECK aborts; say how to get there before it does.
void on_abort(int) {
  std::fputs("FAIL by CHECK    ", stdout);
  std::fputs(replay_line(current_seed, current_world ? current_world->events() : 0).c_str(),
             stdout);
  std::fflush(stdout);
}

std::uint64_t number(const std::string& flag, const std::string& text) {
  char* end = nullptr;
  const std::uint64_t value = std::strtoull(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0') fail_startup(flag + ": a number is needed");
  return value;
}

void read_seeds(const std::string& path, std::vector<std::uint64_t>& out) {
  std::ifstream file(path);
  if (!file) fail_startup("--regressions: cannot read " + path);
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') out.push_back(std::strtoull(line.c_str(), nullptr, 10));
  }
}

// "N" or "A..B".
void add_range(const std::string& flag, const std::string& text, std::vector<std::uint64_t>& out) {
  const std::size_t dots = text.find("..");
  const std::uint64_t first = dots == std::string::npos ? 1 : number(flag, text.substr(0, dots));
  const std::uint64_t last = number(flag, dots == std::string::npos ? text : text.substr(dots + 2));
  for (std::uint64_t seed = first; seed <= last; ++seed) out.push_back(seed);
}

Options parse(int argc, char** argv) {
  Options o;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--trace") {
      o.trace = true;
      continue;
    }
    const std::string value = i + 1 < argc ? argv[++i] : "";
    if (flag == "--seeds")
      add_range(flag, value, o.seeds);
    else if (flag == "--seed")
      o.seeds.push_back(number(flag, value));
    else if (flag == "--until")
      o.until = number(flag, value);
    else if (flag == "--jobs")
      o.jobs = int(number(flag, value));
    else if (flag == "--history")
      o.history = value;
    else if (flag == "--regressions")
      read_seeds(value, o.seeds);
    else
      fail_startup(flag +
                   ": unknown; known: --seeds A..B, --seed SEED, --until EVENT, --trace, "
                   "--jobs N, --history FILE, --regressions FILE");
  }
  if (o.seeds.empty()) fail_startup("--seeds A..B or --seed SEED is needed");
  return o;
}

// What all threads share.
struct Shared {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;  // guards what follows
  Outcome total;
};

void run_one(const Options& options, std::uint64_t seed, Shared& shared) {
  World::TraceSink sink;
  if (options.trace) sink = [](const std::string& line) { std::cout << line << "\n"; };
  World world(seed, sink);
  current_seed = seed;
  current_world = &world;
  const Outcome outcome = world.run(options.until);
  current_world = nullptr;
  if (!options.history.empty()) {
    std::ofstream file(options.history);
    for (const auto& operation : world.history()) {
      file << to_json(linearize::to_json_line(operation)) << "\n";
    }
  }
  const std::lock_guard lock(shared.mutex);
  if (!outcome.failure.empty() && !shared.failed.exchange(true)) {
    std::cout << "FAIL at event " << outcome.events << ": " << outcome.failure << "    "
              << replay_line(seed, outcome.events) << std::flush;
  }
  shared.total.events += outcome.events;
  shared.total.virtual_time += outcome.virtual_time;
  for (const auto& [what, count] : outcome.tally) shared.total.tally[what] += count;
}

int run(const Options& options) {
  log::init("store-sim", log::Level::kError);
  std::signal(SIGABRT, on_abort);
  Shared shared;
  const auto work = [&] {
    while (!shared.failed) {
      const std::size_t at = shared.next++;
      if (at >= options.seeds.size()) return;
      run_one(options, options.seeds[at], shared);
    }
  };
  std::vector<std::thread> threads;
  for (int i = 1; i < options.jobs; ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  if (shared.failed) return 1;
  std::cout << "ok: " << options.seeds.size() << " seeds, "
            << double(shared.total.virtual_time) / 3.6e9 << " simulated hours, "
            << shared.total.events << " events\n";
  for (const auto& [what, count] : shared.total.tally) {
    std::cout << "  " << what << ": " << count << "\n";
  }
  return 0;
}

}  // namespace
}  // namespace coracle::store_sim

int main(int argc, char** argv) {
  return coracle::store_sim::run(coracle::store_sim::parse(argc, argv));
}
