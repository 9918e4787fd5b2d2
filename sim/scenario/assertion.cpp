#include "scenario/assertion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/strings.hpp"
#include "scenario/assertion_syntax.hpp"

namespace coracle::sim {
namespace {

const double kNothing = std::numeric_limits<double>::quiet_NaN();

class Judge {
 public:
  explicit Judge(const Measures& measures) : measures_(measures) {}

  Result<bool> truth(const Expression& e) {
    switch (e.op) {
      case Op::kNot: {
        ASSIGN_OR_RETURN(const bool inner, truth(*e.left));
        return !inner;
      }
      case Op::kAnd:
      case Op::kOr: {  // both are asked, so that what was found is told whole
        ASSIGN_OR_RETURN(const bool left, truth(*e.left));
        ASSIGN_OR_RETURN(const bool right, truth(*e.right));
        return e.op == Op::kAnd ? left && right : left || right;
      }
      default:
        return compare(e);
    }
  }
  std::vector<std::string> found;

 private:
  Result<bool> compare(const Expression& e) {
    ASSIGN_OR_RETURN(const double left, value(*e.left));
    ASSIGN_OR_RETURN(const double right, value(*e.right));
    if (std::isnan(left) || std::isnan(right)) return false;
    switch (e.op) {
      case Op::kLess:
        return left < right;
      case Op::kLessEqual:
        return left <= right;
      case Op::kMore:
        return left > right;
      case Op::kMoreEqual:
        return left >= right;
      case Op::kEqual:
        return left == right;
      default:
        return left != right;
    }
  }

  Result<double> value(const Expression& e) {
    switch (e.op) {
      case Op::kNumber:
        return e.number;
      case Op::kName: {
        ASSIGN_OR_RETURN(const double number, measures_.number(e.name));
        return note(e.name, number);
      }
      case Op::kFunction:
        return call(e);
      case Op::kNegate: {
        ASSIGN_OR_RETURN(const double inner, value(*e.left));
        return -inner;
      }
      default: {
        ASSIGN_OR_RETURN(const double left, value(*e.left));
        ASSIGN_OR_RETURN(const double right, value(*e.right));
        if (e.op == Op::kPlus) return left + right;
        if (e.op == Op::kMinus) return left - right;
        if (e.op == Op::kTimes) return left * right;
        return right == 0 ? kNothing : left / right;
      }
    }
  }

  Result<double> call(const Expression& e) {
    ASSIGN_OR_RETURN(const auto points, measures_.points(e.name));
    std::vector<double> values;
    for (const Measures::Point& point : points) {
      const double at = std::chrono::duration<double>(point.at).count();
      if (e.window && (at < e.from || at > e.until)) continue;
      values.push_back(point.value);
    }
    return note(e.text(), apply(e.function, std::move(values)));
  }

  static double apply(const std::string& function, std::vector<double> values) {
    if (function == "count") return static_cast<double>(values.size());
    double sum = 0;
    for (const double v : values) sum += v;
    if (function == "sum") return sum;
    if (values.empty()) return kNothing;
    if (function == "min") return *std::min_element(values.begin(), values.end());
    if (function == "max") return *std::max_element(values.begin(), values.end());
    if (function == "last") return values.back();
    const double mean = sum / static_cast<double>(values.size());
    if (function == "mean") return mean;
    if (function == "stddev") {
      double squares = 0;
      for (const double v : values) squares += (v - mean) * (v - mean);
      return std::sqrt(squares / static_cast<double>(values.size()));
    }
    return percentile(std::move(values), percentile_of(function));
  }

  double note(const std::string& what, double number) {
    std::string text =
        std::isnan(number) ? what + " has no values" : fmt::format("{} = {:.6g}", what, number);
    if (std::find(found.begin(), found.end(), text) == found.end()) found.push_back(text);
    return number;
  }

  const Measures& measures_;
};

void gather(const Expression& e, std::vector<std::pair<std::string, bool>>* names) {
  if (!e.name.empty()) names->emplace_back(e.name, e.op == Op::kFunction);
  if (e.left) gather(*e.left, names);
  if (e.right) gather(*e.right, names);
}

}  // namespace

double percentile_of_sorted(const std::vector<double>& sorted, double p) {
  if (sorted.empty()) return kNothing;
  const double rank = std::ceil(p / 100.0 * static_cast<double>(sorted.size()));
  const auto index = static_cast<size_t>(std::max(1.0, rank)) - 1;
  return sorted[std::min(index, sorted.size() - 1)];
}

double percentile(std::vector<double> values, double p) {
  std::sort(values.begin(), values.end());
  return percentile_of_sorted(values, p);
}

Result<Assertion> Assertion::parse(std::string_view text) {
  ASSIGN_OR_RETURN(auto root, parse_expression(text));
  Assertion assertion;
  assertion.root_ = std::move(root);
  return assertion;
}

Result<Assertion::Outcome> Assertion::judge(const Measures& measures) const {
  Judge judge(measures);
  ASSIGN_OR_RETURN(const bool held, judge.truth(*root_));
  return Outcome{held, join(judge.found, ", ")};
}

std::vector<std::pair<std::string, bool>> Assertion::names() const {
  std::vector<std::pair<std::string, bool>> names;
  gather(*root_, &names);
  return names;
}

}  // namespace coracle::sim
