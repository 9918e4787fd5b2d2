// Drill: a small cluster with work and faults drawn from one seed, for tests of the world itself:
// its decisions are the same in every run and build, its promises hold, and when the faults are
// over, all comes to rest.
#pragma once

#include <functional>
#include <string>

#include "cluster_sim/world.hpp"

namespace coracle::cluster_sim {

struct DrillOptions {
  std::uint64_t seed = 1;
  int nodes = 12;
  int store_members = 3;
  Duration faults_for = std::chrono::minutes(20);  // of virtual time; 0: none
  Duration rest_within = std::chrono::minutes(30);
  std::uint64_t until = UINT64_MAX;  // stops after this event
};

struct DrillOutcome {
  std::string failure;  // empty: all went well
  Stats stats;
};

// Gets a line for each decision and each fault, and the number of the event.
using DrillLog = std::function<void(std::uint64_t event, const std::string& line)>;
DrillOutcome run_drill(const DrillOptions& options, const DrillLog& log);

// One line about a decision: when, whose, about whom, what, and why in numbers.
std::string decision_line(const World& world, const DecisionSeen& seen);

}  // namespace coracle::cluster_sim
