// RunRecord: what a run left in its directory, read again.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/status.hpp"

namespace coracle::sim {

struct RunRecord {
  std::string dir;
  json::value run;                     // run.json
  std::vector<std::string> decisions;  // lines of decisions.jsonl, in order
  // Decisions by "POD#ATTEMPT": a pod whose name was used again goes on counting.
  std::map<std::string, size_t> by_attempt;

  std::string title() const;  // "DIR (policy default, seed 1)"
};
// A number of a run.json; NaN: it has none there. `part` empty: the name is the number's own.
double run_number(const json::value& run, std::string_view section, std::string_view name,
                  std::string_view part);

// NotFound: it holds no run that ended. DataLoss: its tables are not those of its run.json.
Result<RunRecord> read_run(const std::string& dir);
// run.json alone. `check`: the digests of all files as well.
Result<json::value> read_run_json(const std::string& dir, bool check);

}  // namespace coracle::sim
