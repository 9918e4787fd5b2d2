#include "report/table.hpp"

#include <fmt/format.h>

#include <cmath>
#include <ostream>

#include "base/check.hpp"
#include "base/strings.hpp"

namespace coracle::sim {
namespace {

std::string plain(const Cell& cell) {
  struct Visitor {
    std::string operator()(std::monostate) const { return {}; }
    std::string operator()(const std::string& text) const { return text; }
    std::string operator()(std::int64_t number) const { return std::to_string(number); }
    std::string operator()(double number) const { return number_cell(number); }
    std::string operator()(Duration time) const { return seconds_cell(time); }
    std::string operator()(const Tree& tree) const { return to_json(tree.object); }
  };
  return std::visit(Visitor{}, cell);
}

}  // namespace

std::string seconds_cell(Duration time) {
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(time).count();
  constexpr std::int64_t kMillion = 1'000'000;
  if (micros % kMillion == 0) return std::to_string(micros / kMillion);
  std::string text = fmt::format("{}.{:06}", micros / kMillion, micros % kMillion);
  while (text.back() == '0') text.pop_back();
  return text;
}

std::string number_cell(double number) {
  return std::isnan(number) ? std::string() : fmt::format("{}", number);
}

std::string csv_line(const std::vector<Cell>& cells) {
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) line += ',';
    const std::string text = plain(cells[i]);
    if (text.find_first_of(",\"\n\r") == std::string::npos) {
      line += text;
    } else {
      line += '"' + replace_all(text, "\"", "\"\"") + '"';
    }
  }
  return line;
}

std::string json_line(const std::vector<std::string>& names, const std::vector<Cell>& cells) {
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    const std::string text = plain(cells[i]);
    if (text.empty()) continue;
    line += line.empty() ? "{" : ",";
    line += fmt::format("\"{}\":", names[i]);
    const auto* words = std::get_if<std::string>(&cells[i]);
    line += words == nullptr ? text : to_json(json::value(json::string(*words)));
  }
  return line.empty() ? "{}" : line + "}";
}

Table::Table(std::ostream& csv, std::ostream& jsonl, std::vector<std::string> names)
    : csv_(csv), jsonl_(jsonl), names_(std::move(names)) {
  csv_ << join(names_, ",") << '\n';
}

void Table::row(const std::vector<Cell>& cells) {
  CHECK(cells.size() == names_.size());
  csv_ << csv_line(cells) << '\n';
  jsonl_ << json_line(names_, cells) << '\n';
}

}  // namespace coracle::sim
