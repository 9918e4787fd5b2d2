// raft-sim: runs the simulated world of the Raft core from seeds (docs/store/raft.md).
#include <iostream>

#include "raft_sim/run_options.hpp"
#include "raft_sim/world.hpp"

namespace coracle::raft_sim {
namespace {

int run(const RunOptions& options) {
  World::TraceSink sink;
  if (options.trace) sink = [](const std::string& line) { std::cout << line << "\n"; };
  Outcome total;
  for (const std::uint64_t seed : options.seeds) {
    World world(seed, sink);
    const Replayable replayable("raft-sim", seed, [&] { return world.events(); });
    const Outcome outcome = world.run(options.until);
    if (!outcome.failure.empty()) {
      std::cout << "FAIL at event " << outcome.events << ": " << outcome.failure << "    "
                << replay_line("raft-sim", seed, outcome.events);
      return 1;
    }
    total.events += outcome.events;
    total.writes += outcome.writes;
    total.reads += outcome.reads;
  }
  std::cout << "ok: " << options.seeds.size() << " seeds, " << total.events << " events, "
            << total.writes << " writes and " << total.reads << " reads acknowledged\n";
  return 0;
}

}  // namespace
}  // namespace coracle::raft_sim

int main(int argc, char** argv) {
  return coracle::raft_sim::run(coracle::raft_sim::parse_run_options(argc, argv));
}
