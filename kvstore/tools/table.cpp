#include "storectl/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/check.hpp"

namespace coracle::store {
namespace {

bool is_number(const std::string& cell) {
  return !cell.empty() && cell.find_first_not_of("0123456789") == std::string::npos;
}

}  // namespace

std::string render_table(const std::vector<std::string>& headers,
                         const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const std::string& header : headers) widths.push_back(header.size());
  for (const auto& row : rows) {
    CHECK(row.size() == headers.size());
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string line = "+", out;
  for (const size_t width : widths) line += std::string(width + 2, '-') + "+";
  line += "\n";
  out = line + "|";
  for (size_t i = 0; i < headers.size(); ++i)
    out += fmt::format(" {:^{}} |", headers[i], widths[i]);
  out += "\n" + line;
  for (const auto& row : rows) {
    out += "|";
    for (size_t i = 0; i < row.size(); ++i) {
      out += is_number(row[i]) ? fmt::format(" {:>{}} |", row[i], widths[i])
                               : fmt::format(" {:<{}} |", row[i], widths[i]);
    }
    out += "\n";
  }
  return rows.empty() ? out : out + line;
}

std::string human_bytes(std::uint64_t bytes) {
  if (bytes < 10) return fmt::format("{} B", bytes);
  static constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  size_t unit = 0;
  double scaled = double(bytes);
  while (scaled >= 1000 && unit + 1 < std::size(kUnits)) {
    scaled /= 1000;
    ++unit;
  }
  const double rounded = std::floor(scaled * 10 + 0.5) / 10;
  return rounded < 10 ? fmt::format("{:.1f} {}", rounded, kUnits[unit])
                      : fmt::format("{:.0f} {}", rounded, kUnits[unit]);
}

}  // namespace coracle::store
