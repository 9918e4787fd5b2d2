#include "framework/fit_error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/strings.hpp"

namespace coracle::scheduler {

void FitError::add(const Verdict& verdict, int count) {
  for (const std::string& reason : verdict.reasons()) reasons[reason] += count;
}

std::string FitError::text() const {
  std::string text = fmt::format("0/{} nodes are available:", nodes);
  if (!pre_filter.empty()) {
    text += " " + pre_filter + ".";
  } else if (!reasons.empty()) {
    std::vector<std::string> texts;
    for (const auto& [reason, count] : reasons)
      texts.push_back(fmt::format("{} {}", count, reason));
    std::sort(texts.begin(), texts.end());
    text += " " + join(texts, ", ") + ".";
  }
  if (!post_filter.empty()) text += " " + post_filter;
  return text;
}

}  // namespace coracle::scheduler
