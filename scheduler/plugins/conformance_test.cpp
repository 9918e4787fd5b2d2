// The conformance table of docs/scheduler.md has a row for every plugin, with its points and
// weight.
#include <catch2/catch.hpp>

#include <fstream>
#include <sstream>

#include "base/strings.hpp"
#include "plugins/registry.hpp"

namespace coracle::scheduler {
namespace {

// name -> points, of the table
std::map<std::string, std::string> documented() {
  std::ifstream in(SOURCE_FOLDER "/docs/scheduler.md");
  std::map<std::string, std::string> rows;
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("## ")) inside = line == "## Conformance of the plugins";
    if (!inside || !line.starts_with("| ")) continue;
    const auto cells = split(line, '|');
    if (cells.size() >= 4) rows.emplace(trim(cells[1]), trim(cells[2]));
  }
  return rows;
}

std::string points_of(const PluginEntry& entry) {
  std::vector<std::string> points;
  for (size_t i = 0; i < kPoints; ++i) {
    if (!entry.extends(static_cast<Point>(i))) continue;
    points.emplace_back(kPointNames[i]);
    if (static_cast<Point>(i) == Point::kScore) {
      points.back() += " (" + std::to_string(entry.weight) + ")";
    }
  }
  return join(points, ", ") + (entry.by_default ? "" : ", off by default");
}

TEST_CASE("every plugin stands in the conformance table, as the registry has it") {
  const auto rows = documented();
  for (const PluginEntry& entry : plugin_table()) {
    CAPTURE(entry.name);
    REQUIRE(rows.contains(entry.name));
    CHECK(rows.at(entry.name) == points_of(entry));
  }
}

}  // namespace
}  // namespace coracle::scheduler
