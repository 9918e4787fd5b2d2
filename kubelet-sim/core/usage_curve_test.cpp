#include "kubelet/usage_curve.hpp"

#include <catch2/catch.hpp>

#include "base/yaml.hpp"

using namespace coracle;
using namespace coracle::kubelet;
using namespace std::chrono_literals;

namespace {

Result<UsageCurve> curve(const std::string& yaml) {
  return UsageCurve::parse(*parse_yaml_one("c: " + yaml)->as_object().if_contains("c"));
}

}  // namespace

TEST_CASE("a curve without points uses nothing") {
  const UsageCurve none;
  CHECK(none.at(1h) == 0);
  CHECK(none.sum_until(1h) == 0);
  CHECK(!none.first_above(0));
}

TEST_CASE("a constant") {
  const UsageCurve c = *curve("250m");
  CHECK(c.at(0s) == Approx(0.25));
  CHECK(c.at(24h) == Approx(0.25));
  CHECK(c.sum_until(8s) == Approx(2));
  CHECK(c.first_above(0.2) == 0s);
  CHECK(!c.first_above(0.25));
}

TEST_CASE("points in any order, straight lines between them, the last one stays") {
  const UsageCurve c = *curve("{30s: 100m, 10s: 500m, 20s: 1}");
  CHECK(c.at(0s) == Approx(0.5));  // before the first point
  CHECK(c.at(15s) == Approx(0.75));
  CHECK(c.at(25s) == Approx(0.55));
  CHECK(c.at(99s) == Approx(0.1));
  // 10 * 0.5, then trapezes of 10 s, then the last value.
  CHECK(c.sum_until(10s) == Approx(5));
  CHECK(c.sum_until(15s) == Approx(5 + 5 * 0.625));
  CHECK(c.sum_until(40s) == Approx(5 + 7.5 + 5.5 + 1));
  CHECK(c.first_above(0.75) == 15s);
}

TEST_CASE("a step is two points close together") {
  const UsageCurve c = *curve("{0s: 10Mi, 5s: 10Mi, 5001ms: 200Mi}");
  CHECK(c.at(5s) == Approx(10 << 20));
  CHECK(c.at(6s) == Approx(200 << 20));
  CHECK(*c.first_above(100 << 20) > 5s);
  CHECK(*c.first_above(100 << 20) < 5001ms);
}

TEST_CASE("a limit cuts the curve where it crosses it") {
  const UsageCurve c = curve("{0s: 0, 10s: 2, 20s: 0}")->capped(1);
  CHECK(c.at(5s) == Approx(1));
  CHECK(c.at(10s) == Approx(1));
  CHECK(c.at(15s) == Approx(1));
  CHECK(c.at(17500ms) == Approx(0.5));
  CHECK(c.sum_until(20s) == Approx(2.5 + 10 + 2.5));
  CHECK(!c.first_above(1));
}

TEST_CASE("bad curves") {
  const std::string quantity = "must be a quantity, or a map of times to quantities";
  CHECK(curve("fast").status().message() == quantity);
  CHECK(curve("-1").status().message() == quantity);
  CHECK(curve("[1]").status().message() == quantity);
  CHECK(curve("{0s: much}").status().message() == quantity);
  CHECK(curve("{soon: 1}").status().message() == "must name times like 30s since the start");
  CHECK(curve("{-1s: 1}").status().message() == "must name times like 30s since the start");
}
