// One experiment from its plan to its directory: one policy, one trace, one seed.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "experiment/engine.hpp"
#include "program/load.hpp"
#include "report/run_output.hpp"

namespace coracle::sim {

struct CellRequest {
  const Loaded* loaded = nullptr;
  const PolicySpec* policy = nullptr;
  const TraceSpec* trace = nullptr;  // of a sweep; null: none
  std::uint64_t seed = 1;
  std::string dir;
  // Told now and then; null: nobody watches.
  std::function<void(Duration at, const Ledger&)> progress;
};

struct CellResult {
  bool held = true;
  std::vector<Judged> judged;
  json::object summary;
};
// Errors: of the experiment (a plugin failed, the world broke), or of the directory.
Result<CellResult> run_cell(const CellRequest& request);

// The digest of all that a cell's outcome follows from, as its run.json keeps it.
std::string inputs_of(const Loaded& loaded, const PolicySpec& policy, const TraceSpec* trace,
                      std::uint64_t seed);

// The parts of it, for who runs it in another way.
struct Setup {
  Plan plan;
  RunIdentity identity;
  std::unique_ptr<Ledger> ledger;
  std::unique_ptr<Engine> engine;
};
Result<std::unique_ptr<Setup>> set_up(const Loaded& loaded, const PolicySpec& policy,
                                      const TraceSpec* trace, std::uint64_t seed);

}  // namespace coracle::sim
