#include "framework/plugin.hpp"

#include <algorithm>

namespace coracle::scheduler {

void scale_scores(std::vector<std::int64_t>& scores, bool reverse) {
  std::int64_t largest = 0;
  for (const std::int64_t score : scores) largest = std::max(largest, score);
  for (std::int64_t& score : scores) {
    if (largest == 0) {
      score = reverse ? kScoreMax : score;
      continue;
    }
    score = kScoreMax * score / largest;
    if (reverse) score = kScoreMax - score;
  }
}

}  // namespace coracle::scheduler
