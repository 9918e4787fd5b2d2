#include <catch2/catch.hpp>

#include <cmath>

#include "scenario/assertion.hpp"

namespace coracle::sim {
namespace {

class Fixed final : public Measures {
 public:
  Result<double> number(std::string_view name) const override {
    if (name == "unscheduled") return 3.0;
    return not_found("no number");
  }
  Result<std::vector<Point>> points(std::string_view name) const override {
    std::vector<Point> points;
    if (name == "empty") return points;
    if (name != "wait") return not_found("no series");
    for (int i = 1; i <= 100; ++i) points.push_back({std::chrono::minutes(i), double(i)});
    return points;
  }
};

TEST_CASE("assertions are judged") {
  struct Case {
    const char* text;
    bool held;
    const char* found;
  };
  const auto one = GENERATE(values<Case>({
      {"unscheduled == 3", true, "unscheduled = 3"},
      {"unscheduled < 3", false, "unscheduled = 3"},
      {"p99(wait) < 99.5s", true, "p99(wait) = 99"},
      {"p50(wait) == 50 and max(wait) == 100", true, "p50(wait) = 50, max(wait) = 100"},
      {"min(wait) > 1 or mean(wait) == 50.5", true, "min(wait) = 1, mean(wait) = 50.5"},
      {"not unscheduled == 0", true, "unscheduled = 3"},
      {"not (unscheduled == 0 or unscheduled == 3)", false, "unscheduled = 3"},
      {"count(wait, 10m, 19m) == 10", true, "count(wait, 600s, 1140s) = 10"},
      {"sum(wait) / count(wait) == 50.5", true, "sum(wait) = 5050, count(wait) = 100"},
      {"2 + 3 * 4 == 14", true, ""},
      {"(2 + 3) * 4 - -1 == 21", true, ""},
      {"1h30m == 5400 and 1d12h == 36h", true, ""},
      {"1.5m == 90s and 50% == 0.5 and 1Ki == 1024", true, ""},
      {"min(empty) > 0", false, "min(empty) has no values"},
      {"count(empty) == 0", true, "count(empty) = 0"},
      {"1 / 0 > 0", false, ""},
  }));
  CAPTURE(one.text);
  const auto assertion = Assertion::parse(one.text);
  REQUIRE(assertion.ok());
  const auto outcome = assertion->judge(Fixed());
  REQUIRE(outcome.ok());
  REQUIRE(outcome->held == one.held);
  REQUIRE(outcome->found == one.found);
}

TEST_CASE("what is no assertion says where") {
  struct Case {
    const char* text;
    const char* problem;
  };
  const auto one = GENERATE(values<Case>({
      {"", "column 1: want a metric or a number"},
      {"unscheduled", "column 1: this is a number; want a comparison"},
      {"unscheduled ==", "column 15: want a metric or a number"},
      {"avg(wait) < 3", "column 1: unknown function \"avg\""},
      {"p101(wait) < 3", "column 1: unknown function \"p101\""},
      {"unscheduled < 3parsecs", "column 16: unknown unit \"parsecs\""},
      {"1 < 2 < 3", "nothing more is expected here"},
      {"(1 < 2", "want \")\""},
      {"(1 < 2) + 3 > 1", "a comparison is no number"},
      {"1 and 2 > 1", "this is a number; want a comparison"},
      {"max(wait, 3h, 1h) > 1", "the window ends before it begins"},
  }));
  const auto assertion = Assertion::parse(one.text);
  CAPTURE(one.text, assertion.status().message());
  REQUIRE_FALSE(assertion.ok());
  REQUIRE(assertion.status().message().find(one.problem) != std::string::npos);
}

TEST_CASE("deep nesting is refused, not followed") {
  const std::string deep = std::string(100'000, '(') + "1" + std::string(100'000, ')') + " > 0";
  REQUIRE_FALSE(Assertion::parse(deep).ok());
  std::string nots;
  for (int i = 0; i < 100'000; ++i) nots += "not ";
  REQUIRE_FALSE(Assertion::parse(nots + "1 > 0").ok());
  REQUIRE_FALSE(Assertion::parse(std::string(100'000, '-') + "1 > 0").ok());
}

TEST_CASE("percentiles are of the nearest rank") {
  REQUIRE(percentile({4, 1, 3, 2}, 50) == 2);
  REQUIRE(percentile({4, 1, 3, 2}, 0) == 1);
  REQUIRE(percentile({4, 1, 3, 2}, 75.1) == 4);
  REQUIRE(std::isnan(percentile({}, 50)));
}

}  // namespace
}  // namespace coracle::sim
