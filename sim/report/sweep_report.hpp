// What a sweep came to: one row a cell as a table, and per policy and trace the spread over seeds,
// as text, as sweep.csv and sweep.jsonl, and as sweep.html. Pure but for the tables it writes.
#pragma once

#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/status.hpp"
#include "scenario/scenario.hpp"

namespace coracle::sim {

struct SweepCell {
  std::string policy, trace, dir;  // dir: relative to the sweep's
  std::uint64_t seed = 0;
  json::value run;      // run.json; null: there is none
  std::string failure;  // why not
};

// The metrics a sweep compares: name, and the path in run.json.
struct SweepMetric {
  std::string name, section, key, part;
};
std::vector<SweepMetric> sweep_metrics(const std::vector<SweepCell>& cells);
double metric_of(const SweepCell& cell, const SweepMetric& metric);  // NaN: not there

std::string sweep_text(const std::vector<SweepCell>& cells);
std::string sweep_page(const Scenario& scenario, const std::vector<SweepCell>& cells,
                       const std::string& dir);
Status write_sweep(const std::string& dir, const Scenario& scenario,
                   const std::vector<SweepCell>& cells);

}  // namespace coracle::sim
