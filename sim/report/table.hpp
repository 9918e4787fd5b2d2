// Table: one set of rows as CSV (RFC 4180, a header, "\n") and as JSON Lines (one object a row,
// empty cells left out). The same cells give the same bytes on every machine.
#pragma once

#include <iosfwd>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"

namespace coracle::sim {

// Nothing, a text, a whole number, a number (NaN: nothing), a time (in seconds, to the
// microsecond), or a tree (JSON Lines only as such; in CSV its text).
struct Tree {
  json::object object;
};
using Cell = std::variant<std::monostate, std::string, std::int64_t, double, Duration, Tree>;

std::string csv_line(const std::vector<Cell>& cells);
std::string json_line(const std::vector<std::string>& names, const std::vector<Cell>& cells);

class Table {
 public:
  // The streams outlive it. Names are the header.
  Table(std::ostream& csv, std::ostream& jsonl, std::vector<std::string> names);
  // CHECKs that there is a cell for each name.
  void row(const std::vector<Cell>& cells);

 private:
  std::ostream& csv_;
  std::ostream& jsonl_;
  const std::vector<std::string> names_;
};

// "12", "12.5", "0.000001".
std::string seconds_cell(Duration time);
// The shortest that reads back as the same number; "" of NaN.
std::string number_cell(double number);

}  // namespace coracle::sim
