// cluster-sim: drills of simulated clusters from seeds (docs/sim.md).
#include <iostream>
#include <string>

#include "base/log.hpp"
#include "cluster_sim/drill.hpp"
#include "raft_sim/run_options.hpp"

namespace coracle::cluster_sim {
namespace {

struct Options : raft_sim::RunOptions {
  DrillOptions drill;
};

Options parse(int argc, char** argv) {
  Options o;
  const auto count = [](const std::string& flag, auto* value) {
    return std::pair(flag, [flag, value](const std::string& text) {
      *value = static_cast<int>(raft_sim::parse_count(flag, text));
    });
  };
  int minutes = 20;
  static_cast<raft_sim::RunOptions&>(o) = raft_sim::parse_run_options(
      argc, argv,
      {count("--nodes", &o.drill.nodes), count("--store-members", &o.drill.store_members),
       count("--fault-minutes", &minutes)});
  o.drill.faults_for = std::chrono::minutes(minutes);
  o.drill.until = o.until;
  return o;
}

bool run_one(const Options& options, std::uint64_t seed, Stats* total) {
  DrillOptions drill = options.drill;
  drill.seed = seed;
  std::uint64_t events = 0;
  const raft_sim::Replayable replayable("cluster-sim", seed, [&] { return events; });
  const DrillOutcome outcome = run_drill(drill, [&](std::uint64_t event, const std::string& line) {
    events = event;
    if (options.trace) std::cout << line << "\n";
  });
  const Stats& s = outcome.stats;
  total->events += s.events;
  total->messages += s.messages;
  total->decisions += s.decisions;
  total->binds += s.binds;
  for (const auto& [what, times] : s.faults) total->faults[what] += times;
  if (outcome.failure.empty()) return true;
  std::cout << "FAIL at event " << s.events << ": " << outcome.failure << "    "
            << raft_sim::replay_line("cluster-sim", seed, s.events);
  return false;
}

int run(const Options& options) {
  log::init("cluster-sim", log::Level::kError);
  Stats total;
  for (const std::uint64_t seed : options.seeds) {
    if (!run_one(options, seed, &total)) return 1;
  }
  std::cout << "ok: " << options.seeds.size() << " seeds, " << total.events << " events, "
            << total.messages << " messages, " << total.decisions << " decisions, " << total.binds
            << " binds\n";
  for (const auto& [what, times] : total.faults) std::cout << "  " << what << ": " << times << "\n";
  return 0;
}

}  // namespace
}  // namespace coracle::cluster_sim

int main(int argc, char** argv) {
  return coracle::cluster_sim::run(coracle::cluster_sim::parse(argc, argv));
}
