// report.html of one experiment: verdicts, plots, tables, and the scenario it was. Pure.
#pragma once

#include <string>
#include <vector>

#include "report/run_output.hpp"

namespace coracle::sim {

std::string run_report(const Scenario& scenario, const RunIdentity& identity, const Ledger& ledger,
                       const std::vector<Judged>& judged);

}  // namespace coracle::sim
