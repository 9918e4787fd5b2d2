#include "gpu_demand/demand_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace coracle::sim {
namespace {

constexpr double kTie = 0.5;

const PublishedAllocation* published(std::string_view variant, std::string_view policy) {
  for (const PublishedAllocation& one : published_allocations()) {
    if (one.variant == variant && one.policy == policy) return &one;
  }
  return nullptr;
}

std::string number(const std::optional<double>& value) {
  return value ? fmt::format("{:.2f}", *value) : "";
}

}  // namespace

Spread spread_of(const std::vector<double>& values) {
  Spread spread;
  for (const double value : values) spread.mean += value / static_cast<double>(values.size());
  if (values.size() < 2) return spread;
  double squares = 0;
  for (const double value : values) squares += (value - spread.mean) * (value - spread.mean);
  spread.deviation = std::sqrt(squares / static_cast<double>(values.size() - 1));
  return spread;
}

DemandTable demand_table(const std::vector<DemandRun>& runs, double demand,
                         std::string_view variant) {
  DemandTable table;
  table.end_percent = static_cast<int>(std::lround(demand * 100));
  for (size_t begin = 0; begin < runs.size();) {
    std::vector<double> at_100, at_end, fragmented;
    size_t end = begin;
    for (; end < runs.size() && runs[end].policy == runs[begin].policy; ++end) {
      at_100.push_back(runs[end].allocated_at(100));
      at_end.push_back(runs[end].allocated_at(table.end_percent));
      fragmented.push_back(runs[end].points.back().fragmented_percent);
    }
    DemandTable::Row row{
        runs[begin].policy, spread_of(at_100), spread_of(at_end), spread_of(fragmented), {}, {}};
    const PublishedAllocation* paper = published(variant, row.policy);
    if (paper != nullptr && table.end_percent == 130) {
      row.published_100 = paper->at_100;
      row.published_end = paper->at_130;
    }
    table.rows.push_back(std::move(row));
    table.seeds = std::max(table.seeds, end - begin);
    begin = end;
  }
  return table;
}

bool DemandTable::close() const {
  return std::all_of(rows.begin(), rows.end(), [](const Row& row) {
    return (!row.published_end || std::abs(row.at_end.mean - *row.published_end) <= kTolerance) &&
           (!row.published_100 || std::abs(row.at_100.mean - *row.published_100) <= kTolerance);
  });
}

bool DemandTable::same_order() const {
  for (const Row& a : rows) {
    for (const Row& b : rows) {
      if (!a.published_end || !b.published_end) continue;
      if (*a.published_end + kTie < *b.published_end && a.at_end.mean >= b.at_end.mean) {
        return false;
      }
    }
  }
  return true;
}

std::string table_text(const DemandTable& table) {
  std::string text = fmt::format("GPU allocation in % of the cluster, {} seeds\n", table.seeds);
  text += fmt::format("{:<15}{:>9}{:>7}{:>11}{:>9}{:>7}{:>11}{:>13}\n", "POLICY", "AT 100%", "SD",
                      "PUBLISHED", fmt::format("AT {}%", table.end_percent), "SD", "PUBLISHED",
                      "FRAGMENTED");
  for (const DemandTable::Row& row : table.rows) {
    text += fmt::format("{:<15}{:>9.2f}{:>7.2f}{:>11}{:>9.2f}{:>7.2f}{:>11}{:>13.2f}\n", row.policy,
                        row.at_100.mean, row.at_100.deviation, number(row.published_100),
                        row.at_end.mean, row.at_end.deviation, number(row.published_end),
                        row.fragmented.mean);
  }
  const bool compared = std::any_of(table.rows.begin(), table.rows.end(),
                                    [](const auto& row) { return row.published_end.has_value(); });
  if (!compared) return text;
  return text + fmt::format("order: {}; within {:.0f} point of what was published: {}\n",
                            table.same_order() ? "the same" : "NOT the same",
                            DemandTable::kTolerance, table.close() ? "yes" : "NO");
}

std::string table_csv(const DemandTable& table) {
  std::string text =
      "policy,seeds,allocated_at_100,deviation_at_100,published_at_100,allocated_at_end,"
      "deviation_at_end,published_at_end,fragmented_at_end\n";
  for (const DemandTable::Row& row : table.rows) {
    text += fmt::format("{},{},{:.4f},{:.4f},{},{:.4f},{:.4f},{},{:.4f}\n", row.policy, table.seeds,
                        row.at_100.mean, row.at_100.deviation, number(row.published_100),
                        row.at_end.mean, row.at_end.deviation, number(row.published_end),
                        row.fragmented.mean);
  }
  return text;
}

std::string curves_csv(const std::vector<DemandRun>& runs) {
  std::string text = "policy,seed,arrived_percent,allocated_percent,fragmented_percent\n";
  for (const DemandRun& run : runs) {
    for (const DemandPoint& point : run.points) {
      text += fmt::format("{},{},{},{:.4f},{:.4f}\n", run.policy, run.seed, point.arrived_percent,
                          point.allocated_percent, point.fragmented_percent);
    }
  }
  return text;
}

}  // namespace coracle::sim
