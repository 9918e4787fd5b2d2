// Records: rows of a table exported as JSON Lines or as CSV with a header, told apart by the first
// character. Members of objects are named with a dot: "capacity.cpus". In JSON a whole number may
// be a string, as BigQuery exports them. Errors: InvalidArgument "FILE:LINE: COLUMN: what is
// wrong".
#pragma once

#include <istream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "trace_import/csv.hpp"

namespace coracle::sim {

class Records {
 public:
  // `columns` are looked for: in CSV all must be there; in JSON each row tells.
  static Result<Records> open(std::istream& in, std::string file,
                              const std::vector<std::string_view>& columns);
  // False: the end.
  Result<bool> next();
  std::int64_t rows() const { return rows_; }

  // Nothing: empty, null or not there.
  Result<std::optional<std::string>> text(std::string_view column) const;
  Result<std::optional<std::int64_t>> whole(std::string_view column) const;
  Result<std::optional<double>> number(std::string_view column) const;  // not negative
  Status wrong(std::string_view column, std::string_view what) const;

 private:
  Records(std::istream& in, std::string file) : in_(&in), file_(std::move(file)) {}

  std::istream* in_;
  std::string file_;
  std::optional<Csv> csv_;  // none: JSON Lines
  json::value row_;
  std::int64_t line_ = 0, rows_ = 0;
};

}  // namespace coracle::sim
