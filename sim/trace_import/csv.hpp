// Csv: reads one row at a time of a file of comma separated values (RFC 4180: quotes, doubled
// quotes in them). Columns are known by name: from the first line, or told, for files that have
// none. Errors: InvalidArgument "FILE:LINE: COLUMN: what is wrong"; a row with more or fewer fields
// than there are columns is one.
#pragma once

#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"

namespace coracle::sim {

class Csv {
 public:
  // With `columns`: the file has no first line of names.
  static Result<Csv> open(std::istream& in, std::string file,
                          std::vector<std::string> columns = {});

  // NotFound names those that are missing.
  Status must_have(const std::vector<std::string_view>& columns) const;
  bool has(std::string_view column) const { return find(column).has_value(); }
  // False: the end.
  Result<bool> next();
  std::int64_t rows() const { return rows_; }
  const std::string& file() const { return file_; }

  // Of the row next() read. Columns that are not there are a CHECK: must_have comes first.
  const std::string& text(std::string_view column) const;
  Result<double> number(std::string_view column) const;       // not negative
  Result<std::int64_t> whole(std::string_view column) const;  // not negative
  Result<double> signed_number(std::string_view column) const;
  // Nothing: the field is empty, or NULL.
  Result<std::optional<double>> number_or_none(std::string_view column) const;
  std::int64_t line() const { return line_; }
  Status wrong(std::string_view column, std::string_view what) const;

 private:
  Csv(std::istream& in, std::string file) : in_(&in), file_(std::move(file)) {}
  std::optional<size_t> find(std::string_view column) const;
  // False: the end.
  Result<bool> read_fields();

  std::istream* in_;
  std::string file_;
  std::vector<std::string> columns_, fields_;
  std::int64_t line_ = 0, rows_ = 0;
};

}  // namespace coracle::sim
