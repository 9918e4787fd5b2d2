// store-sim: runs the simulated world of whole store members from seeds (docs/store/simulation.md).
#include <atomic>
#include <fstream>
#include <iostream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/log.hpp"
#include "linearize/history_json.hpp"
#include "raft_sim/run_options.hpp"
#include "store_sim/world.hpp"

namespace coracle::store_sim {
namespace {

using raft_sim::Replayable, raft_sim::replay_line;

struct Options : raft_sim::RunOptions {
  int jobs = 1;
  std::string history;
};

Options parse(int argc, char** argv) {
  Options o;
  static_cast<raft_sim::RunOptions&>(o) = raft_sim::parse_run_options(
      argc, argv,
      {{"--jobs", [&](const auto& v) { o.jobs = int(raft_sim::parse_count("--jobs", v)); }},
       {"--history", [&](const auto& v) { o.history = v; }}});
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
  const Replayable replayable("store-sim", seed, [&] { return world.events(); });
  const Outcome outcome = world.run(options.until);
  if (!options.history.empty()) {
    std::ofstream file(options.history);
    for (const auto& operation : world.history()) {
      file << to_json(linearize::to_json_line(operation)) << "\n";
    }
  }
  const std::lock_guard lock(shared.mutex);
  if (!outcome.failure.empty() && !shared.failed.exchange(true)) {
    std::cout << "FAIL at event " << outcome.events << ": " << outcome.failure << "    "
              << replay_line("store-sim", seed, outcome.events) << std::flush;
  }
  shared.total.events += outcome.events;
  shared.total.virtual_time += outcome.virtual_time;
  for (const auto& [what, count] : outcome.tally) shared.total.tally[what] += count;
}

int run(const Options& options) {
  log::init("store-sim", log::Level::kError);
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
