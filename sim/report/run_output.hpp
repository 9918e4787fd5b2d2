// RunOutput: the directory an experiment leaves behind (docs/formats/simulation-output.md). Equal
// experiments leave equal bytes: nothing of the host, its clock or its paths is in it.
//
// decisions are written while they are made, the rest by finish(); run.json comes last, so that a
// directory that has it is whole.
#pragma once

#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "experiment/ledger.hpp"
#include "report/table.hpp"
#include "scenario/scenario.hpp"

namespace coracle::sim {

inline constexpr const char* kRunFormat = "coracle-run/v1";

// The files a scenario names: path and content, in order.
using InputFiles = std::vector<std::pair<std::string, std::string>>;

// Which experiment of a scenario it was.
struct RunIdentity {
  std::string scenario, engine, policy, trace;
  std::uint64_t seed = 0;
  std::string inputs;  // inputs_digest()
};

struct Judged {
  std::string text, found;
  bool held = false;
};

class RunOutput {
 public:
  // Makes the directory; what an earlier run left there is removed. Errors: Unavailable with the
  // path.
  static Result<std::unique_ptr<RunOutput>> open(const std::string& dir, const Scenario& scenario,
                                                 const InputFiles& files);

  void decision(const DecisionRow& row);
  // Of every node, each node interval.
  void nodes(Duration at, const Ledger& ledger);
  // Everything else. `html`: report.html.
  Status finish(const Ledger& ledger, const std::vector<Judged>& judged, const json::object& run,
                const std::string& html);

 private:
  RunOutput(std::string dir, size_t explained) : dir_(std::move(dir)), explained_(explained) {}
  struct Pair;
  Status write_text(const std::string& name, const std::string& text);
  Result<std::unique_ptr<Pair>> pair(const std::string& name, std::vector<std::string> columns);
  void pods(const Ledger& ledger, Table& table);
  void series(const Ledger& ledger, Table& queue, Table& utilisation);

  const std::string dir_;
  const size_t explained_;
  std::shared_ptr<Pair> decisions_, nodes_;
};

// What run.json says: numbers, distributions, series summed up, assertions and the verdict.
json::object run_summary(const RunIdentity& identity, const Scenario& scenario,
                         const Ledger& ledger, const std::vector<Judged>& judged);
// sha256 over all that decides what an experiment does: the scenario and the files it names, the
// policy, the trace and the seed.
std::string inputs_digest(const Scenario& scenario, const std::string& policy, std::uint64_t seed,
                          const InputFiles& files);
// Of the assertions that there are; one that cannot be judged does not hold, and says why.
std::vector<Judged> judge_all(const Scenario& scenario, const Measures& measures);

// The digest of a file, or NotFound.
Result<std::string> file_digest(const std::string& path);

}  // namespace coracle::sim
