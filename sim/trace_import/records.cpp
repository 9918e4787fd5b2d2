#include "trace_import/records.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "base/strings.hpp"

namespace coracle::sim {

Result<Records> Records::open(std::istream& in, std::string file,
                              const std::vector<std::string_view>& columns) {
  Records records(in, std::move(file));
  in >> std::ws;
  if (in.peek() == '{') return records;
  ASSIGN_OR_RETURN(Csv csv, Csv::open(in, records.file_));
  RETURN_IF_ERROR(csv.must_have(columns));
  records.csv_.emplace(std::move(csv));
  return records;
}

Result<bool> Records::next() {
  if (csv_) {
    ASSIGN_OR_RETURN(const bool any, csv_->next());
    rows_ = csv_->rows();
    return any;
  }
  std::string line;
  do {
    if (!std::getline(*in_, line)) return false;
    ++line_;
  } while (trim(line).empty());
  Result<json::value> row = parse_json(line);
  if (!row.ok()) return row.status().with_context(fmt::format("{}:{}", file_, line_));
  if (!row->is_object()) {
    return invalid_argument(fmt::format("{}:{}: want an object on each line", file_, line_));
  }
  row_ = std::move(*row);
  ++rows_;
  return true;
}

Result<std::optional<std::string>> Records::text(std::string_view column) const {
  if (csv_) {
    const std::string& field = csv_->text(column);
    return field.empty() ? std::optional<std::string>() : std::optional(field);
  }
  const json::value* value = find(row_, column);
  if (value == nullptr || value->is_null()) return std::optional<std::string>();
  if (value->is_string()) return std::optional(std::string(value->as_string()));
  if (value->is_number()) return std::optional(to_json(*value));
  return wrong(column, "want a number or a string");
}

Result<std::optional<std::int64_t>> Records::whole(std::string_view column) const {
  ASSIGN_OR_RETURN(const std::optional<std::string> field, text(column));
  if (!field) return std::optional<std::int64_t>();
  long long value = 0;
  if (!parse_int(*field, &value)) return wrong(column, quoted(*field) + " is no whole number");
  return std::optional<std::int64_t>(value);
}

Result<std::optional<double>> Records::number(std::string_view column) const {
  ASSIGN_OR_RETURN(const std::optional<std::string> field, text(column));
  if (!field) return std::optional<double>();
  double value = 0;
  const char* last = field->data() + field->size();
  const auto [end, error] = std::from_chars(field->data(), last, value);
  if (error != std::errc() || end != last || !std::isfinite(value)) {
    return wrong(column, quoted(*field) + " is no number");
  }
  if (value < 0) return wrong(column, *field + " is negative");
  return std::optional(value);
}

Status Records::wrong(std::string_view column, std::string_view what) const {
  if (csv_) return csv_->wrong(column, what);
  return invalid_argument(fmt::format("{}:{}: {}: {}", file_, line_, column, what));
}

}  // namespace coracle::sim
