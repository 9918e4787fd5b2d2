// How a decision of the scheduler is printed: a table node by predicate, the scores, the sums.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "base/json.hpp"

namespace coracle::kubectl {

struct WhyPrint {
  bool summary = false;  // counts instead of tables with a row for each node
  bool would = false;    // it was not decided, only asked
};
// `status` is that of a SchedulingDecision, or of a SchedulingReview.
void print_decision(const std::string& pod, const json::value& status, const WhyPrint& how,
                    std::ostream& out);

// Rows as columns, tab stops apart.
std::string aligned_rows(const std::vector<std::vector<std::string>>& rows);

}  // namespace coracle::kubectl
