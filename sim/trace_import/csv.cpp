#include "trace_import/csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/check.hpp"
#include "base/strings.hpp"

namespace coracle::sim {

Result<Csv> Csv::open(std::istream& in, std::string file, std::vector<std::string> columns) {
  Csv csv(in, std::move(file));
  if (!columns.empty()) {
    csv.columns_ = std::move(columns);
    return csv;
  }
  ASSIGN_OR_RETURN(const bool any, csv.read_fields());
  if (!any) return invalid_argument(csv.file_ + ": is empty; the first line names the columns");
  csv.columns_ = csv.fields_;
  for (std::string& column : csv.columns_) column = std::string(trim(column));
  return csv;
}

Status Csv::must_have(const std::vector<std::string_view>& columns) const {
  std::vector<std::string> missing;
  for (const std::string_view column : columns) {
    if (!find(column)) missing.emplace_back(column);
  }
  if (missing.empty()) return {};
  return invalid_argument(fmt::format("{}:1: there is no column {}; there are {}", file_,
                                      join(missing, ", "), join(columns_, ", ")));
}

std::optional<size_t> Csv::find(std::string_view column) const {
  const auto at = std::find(columns_.begin(), columns_.end(), column);
  if (at == columns_.end()) return std::nullopt;
  return static_cast<size_t>(at - columns_.begin());
}

Result<bool> Csv::read_fields() {
  std::string line;
  do {
    if (!std::getline(*in_, line)) return false;
    ++line_;
    if (line_ == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
    if (!line.empty() && line.back() == '\r') line.pop_back();
  } while (line.empty());
  fields_.clear();
  std::string field;
  bool quoted = false;
  for (size_t i = 0;; ++i) {
    if (i == line.size()) {
      if (!quoted) break;
      std::string more;
      if (!std::getline(*in_, more)) {
        return invalid_argument(fmt::format("{}:{}: a quote is not closed", file_, line_));
      }
      ++line_;
      line += "\n" + more;
    }
    const char c = line[i];
    if (quoted && c == '"' && i + 1 < line.size() && line[i + 1] == '"') {
      field += line[i++];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields_.push_back(std::move(field));
      field.clear();
    } else {
      field += c;
    }
  }
  fields_.push_back(std::move(field));
  return true;
}

Result<bool> Csv::next() {
  ASSIGN_OR_RETURN(const bool any, read_fields());
  if (!any) return false;
  if (fields_.size() != columns_.size()) {
    return invalid_argument(fmt::format("{}:{}: {} fields; there are {} columns", file_, line_,
                                        fields_.size(), columns_.size()));
  }
  ++rows_;
  return true;
}

const std::string& Csv::text(std::string_view column) const {
  const auto at = find(column);
  CHECK_MSG(at.has_value(), "no column " << column);
  return fields_[*at];
}

Result<double> Csv::signed_number(std::string_view column) const {
  const std::string_view field = trim(text(column));
  double value = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (error != std::errc() || end != field.data() + field.size() || !std::isfinite(value)) {
    return wrong(column, field.empty() ? "is empty" : quoted(field) + " is no number");
  }
  return value;
}

Result<std::optional<double>> Csv::number_or_none(std::string_view column) const {
  const std::string_view field = trim(text(column));
  if (field.empty() || field == "NULL") return std::optional<double>();
  ASSIGN_OR_RETURN(const double value, signed_number(column));
  if (value < 0) return wrong(column, std::string(field) + " is negative");
  return std::optional(value);
}

Result<double> Csv::number(std::string_view column) const {
  ASSIGN_OR_RETURN(const std::optional<double> value, number_or_none(column));
  if (!value) return wrong(column, "is empty");
  return *value;
}

Result<std::int64_t> Csv::whole(std::string_view column) const {
  ASSIGN_OR_RETURN(const double value, number(column));
  if (value != std::floor(value) || value > 9e15) {
    return wrong(column, fmt::format("{} is no whole number", value));
  }
  return static_cast<std::int64_t>(value);
}

Status Csv::wrong(std::string_view column, std::string_view what) const {
  return invalid_argument(fmt::format("{}:{}: {}: {}", file_, line_, column, what));
}

}  // namespace coracle::sim
