// SchedulerCacheChecker: recomputes from the pods what the cache keeps as running sums, and says
// where they differ. Empty: all is well. Run after every step of tests and sampled by the daemon.
#pragma once

#include <string>
#include <vector>

#include "cache/cache.hpp"

namespace coracle::scheduler {

class SchedulerCacheChecker {
 public:
  static std::vector<std::string> violations(const Cache& cache);
};

}  // namespace coracle::scheduler
