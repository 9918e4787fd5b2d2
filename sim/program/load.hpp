// Scenario files from disk, for the commands.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "scenario/scenario.hpp"

namespace coracle::sim {

struct Loaded {
  Scenario scenario;
  // The files it names, by the path it names them by, in order.
  std::vector<std::pair<std::string, std::string>> files;
};
// InvalidArgument: every problem, one a line. NotFound: there is no such file.
Result<Loaded> load_scenario(const std::string& path);
// The same; what is wrong goes to standard error, and the program ends with 2.
Loaded must_load(const std::string& path);

// Of a directory that a run left: the scenario as it was then.
Result<Loaded> load_run(const std::string& dir);

Result<std::string> read_text(const std::string& path);

// The positional arguments of a command, which Flags does not know: takes them out of argv.
std::vector<std::string> take_operands(int* argc, char** argv);

}  // namespace coracle::sim
