// What plugins can be told by pluginConfig; the defaults are upstream's. Values. Pure.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "api/node_selector.hpp"
#include "framework/pod_info.hpp"

namespace coracle::scheduler {

struct ResourceWeight {
  std::string name;
  std::int64_t weight = 1;
  friend bool operator==(const ResourceWeight&, const ResourceWeight&) = default;
};

struct ScoringStrategy {
  enum class Type { kLeastAllocated, kMostAllocated, kRequestedToCapacityRatio };
  Type type = Type::kLeastAllocated;
  std::vector<ResourceWeight> resources = {{"cpu", 1}, {"memory", 1}};
  // Of kRequestedToCapacityRatio: utilization in percent, ascending, and the score 0..100 there.
  std::vector<std::pair<std::int64_t, std::int64_t>> shape;
};

struct FitArgs {
  ScoringStrategy strategy;
  std::set<std::string> ignored, ignored_groups;  // extended resources that filter no node
};

// What is added to the node affinity of each pod of the profile.
struct NodeAffinityArgs {
  bool required = false;
  std::vector<api::NodeSelectorTerm> terms;  // one must match
  std::vector<api::PreferredNodes> preferred;
};

struct PodAffinityArgs {
  std::int64_t hard_weight = 1;  // of a running pod's required affinity, when scores are added
  bool ignore_preferred_of_existing = false;
};

struct PreemptionArgs {
  std::int64_t min_candidates_percentage = 10, min_candidates_absolute = 100;
};

// A kind of pods, and how many of all are of it.
struct TypicalPod {
  std::int64_t cpu_milli = 0;
  int devices = 0, milli = 0;  // of GPU: so many devices, so much of each
  std::vector<std::string> models;
  double share = 0;
};

// Of all plugins that are about GPUs.
struct GpuArgs {
  enum class Choice : std::uint8_t { kBestFit, kWorstFit, kRandom, kFragmentation };
  Choice choice = Choice::kBestFit;  // which device a pod gets that shares one
  std::uint64_t seed = 1;            // of what is left to chance
  // Against which sizes are compared.
  std::int64_t largest_cpu_milli = 128'000;
  int largest_devices = 8;
  std::vector<TypicalPod> typical;  // shares add up to 1
};

struct PluginArgs {
  FitArgs fit;
  std::vector<ResourceWeight> balanced = {{"cpu", 1}, {"memory", 1}};
  NodeAffinityArgs node_affinity;
  PodAffinityArgs pod_affinity;
  PreemptionArgs preemption;
  bool system_spread_defaults = true;
  std::vector<SpreadConstraint> spread_defaults;  // unless system_spread_defaults
  std::int64_t bind_timeout_seconds = 600;
  Duration filter_timeout = std::chrono::seconds(10);  // of DynamicResources, a node; 0: none
  GpuArgs gpu;
};

}  // namespace coracle::scheduler
