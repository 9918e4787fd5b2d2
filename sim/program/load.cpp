#include "program/load.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace coracle::sim {

Result<std::string> read_text(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return invalid_argument(fmt::format("{} is a folder", path));
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) return not_found(fmt::format("{}: {}", path, std::strerror(errno)));
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return unavailable(fmt::format("{}: cannot be read whole", path));
  return std::move(text).str();
}

Result<Loaded> load_scenario(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, read_text(path));
  Loaded loaded;
  const auto folder = std::filesystem::path(path).parent_path();
  const ReadFile read_file = [&](const std::string& name) -> Result<std::string> {
    auto file = read_text((folder / name).string());
    if (file.ok()) loaded.files.emplace_back(name, *file);
    return file;
  };
  ASSIGN_OR_RETURN(loaded.scenario, read_scenario(text, path, read_file));
  return loaded;
}

Result<Loaded> load_run(const std::string& dir) {
  ASSIGN_OR_RETURN(const std::string text, read_text(dir + "/scenario.yaml"));
  json::value inputs = json::object();
  if (const auto kept = read_text(dir + "/inputs.json"); kept.ok()) {
    ASSIGN_OR_RETURN(inputs, parse_json(*kept));
  }
  Loaded loaded;
  const ReadFile read_file = [&](const std::string& name) -> Result<std::string> {
    const json::value* file = find_keys(inputs, {name});
    if (file == nullptr || !file->is_string()) {
      return not_found(fmt::format("{}/inputs.json has no {}", dir, name));
    }
    loaded.files.emplace_back(name, std::string(file->get_string()));
    return loaded.files.back().second;
  };
  ASSIGN_OR_RETURN(loaded.scenario, read_scenario(text, dir + "/scenario.yaml", read_file));
  return loaded;
}

Loaded must_load(const std::string& path) {
  auto loaded = load_scenario(path);
  if (loaded.ok()) return std::move(*loaded);
  std::fprintf(stderr, "%s\n", loaded.status().message().c_str());
  std::exit(2);
}

// A flag without "=" is followed by its value, unless it is a switch: those who call name none, so
// every operand comes before the first flag or after "--".
std::vector<std::string> take_operands(int* argc, char** argv) {
  std::vector<std::string> operands;
  int at = 1;
  while (at < *argc && argv[at][0] != '-') operands.emplace_back(argv[at++]);
  int kept = 1;
  for (; at < *argc; ++at) argv[kept++] = argv[at];
  *argc = kept;
  return operands;
}

}  // namespace coracle::sim
