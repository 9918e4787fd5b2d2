#include "kubelet/node_fault.hpp"

#include <catch2/catch.hpp>

using namespace coracle;
using namespace coracle::kubelet;
using namespace std::chrono_literals;

namespace {

const WallTime kNow = *parse_time("2030-01-02T15:00:00Z");

NodeFaults asked(const char* annotation, const char* value) {
  return faults_asked({{"unrelated", "now"}, {annotation, value}}, kNow);
}

}  // namespace

TEST_CASE("what annotations ask to go wrong with a node") {
  SECTION("nothing") {
    const NodeFaults none = faults_asked({{"lab.coracle.dev/other", "now"}}, kNow);
    CHECK_FALSE(none.cut_off);
    CHECK_FALSE(none.reboot);
    CHECK(none.delay == Duration(0));
    CHECK_FALSE(none.next_end());
    CHECK(none.problems.empty());
  }
  SECTION("cut off until somebody says so, or for a time") {
    CHECK(asked(kCutOffFault, "now").cut_off);
    CHECK_FALSE(asked(kCutOffFault, "now").next_end());
    const NodeFaults limited = asked(kCutOffFault, "2030-01-02T15:01:00Z");
    CHECK(limited.cut_off);
    CHECK(limited.next_end() == kNow + 60s);
    CHECK(limited.over.empty());
  }
  SECTION("over at its time, not after it") {
    const NodeFaults over = asked(kCutOffFault, "2030-01-02T15:00:00Z");
    CHECK_FALSE(over.cut_off);
    CHECK(over.over == std::vector<std::string>{kCutOffFault});
    CHECK_FALSE(over.next_end());
  }
  SECTION("slow") {
    CHECK(asked(kSlowFault, "2s").delay == 2s);
    const NodeFaults limited = asked(kSlowFault, "1m30s until 2030-01-02T15:00:30Z");
    CHECK(limited.delay == 90s);
    CHECK(limited.next_end() == kNow + 30s);
    CHECK(asked(kSlowFault, "2s until 2030-01-02T14:00:00Z").delay == Duration(0));
  }
  SECTION("the first end of two") {
    const NodeFaults both = faults_asked(
        {{kCutOffFault, "2030-01-02T15:02:00Z"}, {kSlowFault, "2s until 2030-01-02T15:01:00Z"}},
        kNow);
    CHECK(both.next_end() == kNow + 60s);
  }
  SECTION("reboot") { CHECK(asked(kRebootFault, "now").reboot); }
}

TEST_CASE("a fault that says nothing is a problem, and none else") {
  const auto [annotation, value] = GENERATE(table<const char*, const char*>({
      {kCutOffFault, ""},
      {kCutOffFault, "yes"},
      {kCutOffFault, "2030-13-01T00:00:00Z"},
      {kSlowFault, "0s"},
      {kSlowFault, "-1s"},
      {kSlowFault, "11m"},
      {kSlowFault, "fast"},
      {kSlowFault, "2s until then"},
      {kRebootFault, "later"},
  }));
  CAPTURE(annotation, value);
  const NodeFaults faults = asked(annotation, value);
  CHECK_FALSE((faults.cut_off || faults.reboot || faults.delay > Duration(0)));
  REQUIRE(faults.problems.size() == 1);
  CHECK(faults.problems[0].find(std::string("Annotation ") + annotation + ": \"" + value + "\"") ==
        0);
}
