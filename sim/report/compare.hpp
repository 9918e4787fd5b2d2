// Two runs side by side: which decisions differ, with both explanations; their metrics; a verdict.
// Pure.
#pragma once

#include <string>
#include <vector>

#include "report/run_record.hpp"

namespace coracle::sim {

struct Difference {
  std::string pod;
  int attempt = 1;
  const std::string* a = nullptr;  // lines of decisions.jsonl; null: only the other has it
  const std::string* b = nullptr;
};

struct Comparison {
  size_t equal = 0, differ = 0, only_a = 0, only_b = 0;
  std::vector<Difference> differences;  // in the order of A's decisions, then B's
  struct Metric {
    std::string name;
    double a = 0, b = 0;
    int better = 0;  // -1: less is better, 1: more is, 0: neither
  };
  std::vector<Metric> metrics;
  bool same() const { return differ + only_a + only_b == 0; }
};

Comparison compare(const RunRecord& a, const RunRecord& b);
// At most `shown` differences in full.
std::string comparison_text(const RunRecord& a, const RunRecord& b, const Comparison& comparison,
                            size_t shown);

}  // namespace coracle::sim
