// What if: what the scheduler would decide about a pod that may not exist, in a world that is as it
// is but for some changes. Pure; nothing of it happens.
//
// It works on a copy of the cache: O(nodes + pods) of time and memory, once for each question; all
// nodes are looked at, also in large clusters.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cache/cache.hpp"
#include "cycle/cycle.hpp"
#include "why/single_changes.hpp"

namespace coracle::scheduler {

// So many pods of one kind are placed after each other, at the most.
inline constexpr std::int64_t kCopiesMax = 10'000;

struct WhatIf {
  json::value pod;                         // whole, defaults filled in
  std::int64_t copies = 1;                 // of it, one after the other
  std::vector<json::value> nodes;          // take the place of those of their name, or are added
  std::vector<std::string> without_nodes;  // names
  std::vector<std::string> without_pods;   // "namespace/name"
  std::map<std::string, std::int64_t> weights;  // of scores, by plugin; the others stay
  bool suggest = false;                         // if it fits nowhere: what would help
};

struct WhatIfAnswer {
  Decision decision;        // of the first copy that has no place, else of the last
  std::int64_t placed = 0;  // copies that have one
  std::map<std::string, std::int64_t> pods_by_node;  // of these
  std::vector<std::string> not_asked;                // plugins that are programs
  std::vector<SingleChange> changes;                 // smallest first
};

// InvalidArgument: names what of the question is wrong.
Result<WhatIfAnswer> answer_what_if(const WhatIf& question, const Profile& profile,
                                    const Cache& cache);

}  // namespace coracle::scheduler
