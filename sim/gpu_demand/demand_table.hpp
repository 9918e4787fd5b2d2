// DemandTable: runs of the GPU demand experiment as a table beside what was published. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gpu_demand/gpu_demand.hpp"

namespace coracle::sim {

struct Spread {
  double mean = 0, deviation = 0;  // of the sample; 0 for one seed
};
Spread spread_of(const std::vector<double>& values);

struct DemandTable {
  struct Row {
    std::string policy;
    Spread at_100, at_end, fragmented;  // allocated, in percent; what of the capacity was of no use
    std::optional<double> published_100, published_end;
  };
  std::vector<Row> rows;  // in the order of the runs
  int end_percent = 130;
  size_t seeds = 0;

  // Whether means at the end lie within kTolerance of what was published, and in the same order,
  // where neighbours differ by more than half a point there. True where nothing was published.
  static constexpr double kTolerance = 1.0;
  bool close() const;
  bool same_order() const;
  bool holds() const { return close() && same_order(); }
};

// `variant` of OpenB's list of pods; empty, or another demand than 1.3: nothing was published.
DemandTable demand_table(const std::vector<DemandRun>& runs, double demand,
                         std::string_view variant);
std::string table_text(const DemandTable& table);
std::string table_csv(const DemandTable& table);
// policy,seed,arrived_percent,allocated_percent,fragmented_percent
std::string curves_csv(const std::vector<DemandRun>& runs);

}  // namespace coracle::sim
