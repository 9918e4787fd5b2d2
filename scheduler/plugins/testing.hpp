// For tests of plugins: one plugin over all nodes of a world, as the cycle runs it, and tables of
// it.
#pragma once

#include <catch2/catch.hpp>
#include <numeric>
#include <ostream>
#include <string>
#include <vector>

#include "framework/plugin.hpp"
#include "framework/testing.hpp"

namespace coracle::scheduler {

inline std::ostream& operator<<(std::ostream& out, const Verdict& verdict) {
  out << "verdict " << static_cast<int>(verdict.kind());
  for (const std::string& reason : verdict.reasons()) out << " [" << reason << "]";
  return out;
}

namespace testing {

using Verdicts = std::vector<Verdict>;
using Scores = std::vector<std::int64_t>;

// One verdict a node; that of pre_filter for all nodes unless it is yes.
inline Verdicts filtered(const Plugin& plugin, const PodInfo& pod, const Snapshot& world) {
  StatePtr state;
  const Verdict before = plugin.pre_filter(pod, world, &state);
  if (!before.is_yes()) return Verdicts(world.nodes.size(), before);
  Verdicts verdicts;
  for (const NodeInfo& node : world.nodes) {
    verdicts.push_back(plugin.filter(pod, node, state.get()));
  }
  return verdicts;
}

// One score a node, normalized where asked for; none when pre_score skips.
inline Scores scored(const Plugin& plugin, const PodInfo& pod, const Snapshot& world,
                     bool normalized = true) {
  std::vector<std::uint32_t> all(world.nodes.size());
  std::iota(all.begin(), all.end(), 0U);
  StatePtr state;
  if (!plugin.pre_score(pod, world, all, &state).is_yes()) return {};
  Scores scores;
  for (const NodeInfo& node : world.nodes) scores.push_back(plugin.score(pod, node, state.get()));
  if (normalized) plugin.normalize(state.get(), scores);
  return scores;
}

template <class Expected>
struct PluginCase {
  const char* name;
  std::vector<a_node> nodes;
  std::vector<a_pod> placed;
  a_pod pod;
  Expected expected;  // by node
};
using FilterCase = PluginCase<Verdicts>;
using ScoreCase = PluginCase<Scores>;

inline void check_all(const Plugin& plugin, const std::vector<FilterCase>& cases) {
  for (const FilterCase& c : cases) {
    CAPTURE(c.name);
    CHECK(filtered(plugin, *c.pod.info(), a_world(c.nodes, c.placed)) == c.expected);
  }
}

inline void check_all(const Plugin& plugin, const std::vector<ScoreCase>& cases) {
  for (const ScoreCase& c : cases) {
    CAPTURE(c.name);
    CHECK(scored(plugin, *c.pod.info(), a_world(c.nodes, c.placed)) == c.expected);
  }
}

}  // namespace testing
}  // namespace coracle::scheduler
