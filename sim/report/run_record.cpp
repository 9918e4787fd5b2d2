#include "report/run_record.hpp"

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>

#include "report/run_output.hpp"

namespace coracle::sim {

std::string RunRecord::title() const {
  std::string trace(get_string(run, "trace"));
  if (!trace.empty()) trace = ", trace " + trace;
  return fmt::format("{} (policy {}{}, seed {})", dir, get_string(run, "policy"), trace,
                     get_int(run, "seed"));
}

double run_number(const json::value& run, std::string_view section, std::string_view name,
                  std::string_view part) {
  const json::value* value =
      part.empty() ? find_keys(run, {section, name}) : find_keys(run, {section, name, part});
  if (value == nullptr || !value->is_number()) return std::numeric_limits<double>::quiet_NaN();
  return value->to_number<double>();
}

Result<json::value> read_run_json(const std::string& dir, bool check) {
  const std::string path = dir + "/run.json";
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    return not_found(
        fmt::format("{} is no directory of a run that ended: it has no run.json", dir));
  }
  std::ostringstream text;
  text << in.rdbuf();
  auto run = parse_json(text.str());
  if (!run.ok()) return run.status().with_context(path);
  if (get_string(*run, "format") != kRunFormat) {
    return invalid_argument(fmt::format("{}: format: want {}, not \"{}\"", path, kRunFormat,
                                        get_string(*run, "format")));
  }
  for (const auto& file : get_object(*run, "files")) {
    if (!check) break;
    const std::string name = dir + "/" + std::string(file.key());
    const auto digest = file_digest(name);
    if (!digest.ok()) return digest.status();
    if (!file.value().is_string() || *digest != std::string_view(file.value().get_string())) {
      return data_loss(fmt::format("{} is not what the run wrote", name));
    }
  }
  return run;
}

Result<RunRecord> read_run(const std::string& dir) {
  RunRecord record;
  record.dir = dir;
  ASSIGN_OR_RETURN(record.run, read_run_json(dir, true));
  std::ifstream in(dir + "/decisions.jsonl", std::ios::binary);
  std::map<std::string, int> attempts;
  for (std::string line; std::getline(in, line);) {
    const auto row = parse_json(line);
    if (!row.ok()) return row.status().with_context(dir + "/decisions.jsonl");
    const std::string pod(get_string(*row, "pod"));
    record.by_attempt.emplace(fmt::format("{}#{}", pod, ++attempts[pod]), record.decisions.size());
    record.decisions.push_back(std::move(line));
  }
  return record;
}

}  // namespace coracle::sim
