// Cycle: where one pod goes, and why. Pure: profile, pod and snapshot in, Decision out.
//
// Sampling: above kSampleFrom nodes it stops looking when enough fit, and begins the next search
// where this one ended. Ties among the best go round robin. Both live in Rotation, the only state.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "framework/profile.hpp"

namespace coracle::scheduler {

inline constexpr size_t kSampleFrom = 100;
inline constexpr size_t kNotedNodesMax = 100;  // of one Decision

struct Rotation {
  size_t next_start = 0;
  std::uint64_t ties = 0;
};

struct Decision {
  enum class Kind { kPlaced, kFitsNowhere, kBroken };
  struct No {
    std::string node, plugin;
    Verdict verdict;
  };
  struct Scored {
    std::string node;
    std::int64_t total = 0;
    std::vector<std::pair<std::string_view, std::int64_t>> parts;  // plugin, weighted
  };
  Kind kind = Kind::kFitsNowhere;
  std::string pod;   // "namespace/name"
  std::string node;  // of kPlaced
  // Upstream's sentence; of kBroken: what failed.
  std::string message;
  std::vector<const Plugin*> rejected_by;  // each once
  std::vector<No> noes;                    // the first kNotedNodesMax
  std::vector<Scored> scores;              // the first kNotedNodesMax; empty if only one fits
};

Decision decide(const Profile& profile, const PodInfo& pod, const Snapshot& world,
                Rotation& rotation);
// How many fitting nodes are enough.
size_t enough_nodes(size_t nodes, int percentage);

}  // namespace coracle::scheduler
