// The report of the GPU demand experiment: a page that needs nothing but itself, with the table and
// the curves as SVG. Pure; equal runs, equal bytes.
#pragma once

#include <string>
#include <vector>

#include "gpu_demand/demand_table.hpp"

namespace coracle::sim {

std::string demand_report(const DemandTable& table, const std::vector<DemandRun>& runs);
// One of its plots: the mean over the seeds of each policy, and the band from the least to the
// most, from that percent of demand on.
std::string demand_plot(const std::string& title, const DemandTable& table,
                        const std::vector<DemandRun>& runs, double DemandPoint::* what,
                        int from_percent);

}  // namespace coracle::sim
