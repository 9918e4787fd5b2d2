// Plan: everything that will happen to a cluster from outside in one experiment, in the order of
// time: drawn from the scenario and one seed, before anything runs. Pure; equal arguments, equal
// plan.
//
// Each part of a scenario draws from a generator of its own, in the order of the file: adding one
// at the end leaves the others' draws as they were.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/rng.hpp"
#include "scenario/scenario.hpp"

namespace coracle::sim {

// An object that is created.
struct Arrival {
  Duration at{0};
  std::string source;                // the generator, trace or manifest it is of
  json::object object;               // as a client would send it
  std::optional<Duration> lifetime;  // how long each of its pods runs, once it has started
  bool fails = false;                // how such a run ends
  std::optional<Duration> until;     // its owner deletes it then
  json::object usage;  // of each of its pods, from its start on; not named: as requested
};

struct PlannedFault {
  Duration at{0};
  std::optional<Duration> until;
  const FaultSpec* spec = nullptr;  // of the scenario, which outlives the plan
  std::vector<std::string> nodes;   // of kinds that are of nodes
};

struct Plan {
  std::vector<TraceNode> nodes;  // by `at`
  std::vector<TraceNodeEvent> node_events;
  std::vector<Arrival> arrivals;
  std::vector<TraceUsage> usages;
  std::vector<PlannedFault> faults;
};

// `trace`: of a sweep, instead of no such trace.
Plan make_plan(const Scenario& scenario, std::uint64_t seed, const TraceSpec* trace = nullptr);

// The n-th object (from 1 on) of a generator, its `at` left open.
Arrival generate(const GeneratorSpec& spec, const std::string& owner, std::int64_t n, Rng& rng);
// When they come, before the end.
std::vector<Duration> arrival_times(const ArrivalSpec& spec, Duration end, Rng& rng);

}  // namespace coracle::sim
