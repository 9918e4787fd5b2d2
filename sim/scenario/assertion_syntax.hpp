// The syntax of assertions as a tree. Pure.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/status.hpp"

namespace coracle::sim {

enum class Op : std::uint8_t {
  kNumber,
  kName,
  kFunction,
  kNegate,
  kPlus,
  kMinus,
  kTimes,
  kDivide,
  kLess,
  kLessEqual,
  kMore,
  kMoreEqual,
  kEqual,
  kNotEqual,
  kNot,
  kAnd,
  kOr,
};

struct Expression {
  Op op = Op::kNumber;
  double number = 0;
  std::string name;      // of kName and kFunction: the metric
  std::string function;  // "p99"
  bool window = false;   // of kFunction: only values from `from` until `until`, in seconds
  double from = 0, until = 0;
  std::shared_ptr<const Expression> left, right;

  bool is_truth() const { return op >= Op::kLess; }
  std::string text() const;  // of kFunction
};

// InvalidArgument: "column 5: ...". The result is a truth.
Result<std::shared_ptr<const Expression>> parse_expression(std::string_view text);
// Of "p99.9": 99.9; negative: it is no percentile.
double percentile_of(std::string_view function);

}  // namespace coracle::sim
