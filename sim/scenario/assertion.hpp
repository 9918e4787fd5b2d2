// Assertions: what must hold at the end of an experiment, over its metrics. Pure.
//
//   p99(pod.wait) < 30s and unscheduled == 0
//   min(utilisation.cpu, 6h, 18h) > 40%
//
// Grammar: or, and, not, comparisons (< <= > >= == !=), + - * /, parentheses, numbers with units
// (ms s m h d, Ki Mi Gi Ti, %), names of single numbers, and FUNCTION(NAME[, FROM, UNTIL]) over a
// distribution or a series: min max mean sum count stddev last p0..p100 (p99.9 too).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/status.hpp"

namespace coracle::sim {

// What an assertion may read. Numbers are in base units (seconds, bytes, shares of 1).
class Measures {
 public:
  virtual ~Measures() = default;
  // NotFound when there is no such number.
  virtual Result<double> number(std::string_view name) const = 0;
  struct Point {
    Duration at;
    double value;
  };
  // Of a series, or of a distribution (`at`: when it was added to). NotFound: there is none.
  virtual Result<std::vector<Point>> points(std::string_view name) const = 0;
};

struct Expression;  // assertion_syntax.hpp

class Assertion {
 public:
  // InvalidArgument says where: `column 5: ...`. The whole must be a truth, not a number.
  static Result<Assertion> parse(std::string_view text);

  struct Outcome {
    bool held = false;
    std::string found;  // "p99(pod.wait) = 12.5": the numbers that were compared
  };
  // A function over nothing (no pod waited) is no number: what compares it does not hold, and says
  // so. NotFound: a metric that does not exist.
  Result<Outcome> judge(const Measures& measures) const;
  // All metrics it names, and whether as what a function is of.
  std::vector<std::pair<std::string, bool>> names() const;

 private:
  std::shared_ptr<const Expression> root_;
};

// p in 0..100 of values in any order, by the nearest rank. No values: NaN.
double percentile(std::vector<double> values, double p);
double percentile_of_sorted(const std::vector<double>& sorted, double p);

}  // namespace coracle::sim
