#include "controllers/int_or_percent.hpp"

#include <catch2/catch.hpp>

namespace coracle::controllers {
namespace {

TEST_CASE("numbers and percentages of another number") {
  struct Case {
    const char* json;
    std::int64_t total, up, down;
  };
  const std::vector<Case> cases{
      {"4", 10, 4, 4},        {"0", 10, 0, 0},       {"\"25%\"", 10, 3, 2}, {"\"100%\"", 7, 7, 7},
      {"\"0%\"", 7, 0, 0},    {"\"1%\"", 1, 1, 0},   {"\"25%\"", 0, 0, 0},  {"\"x%\"", 10, -1, -1},
      {"\"25\"", 10, -1, -1}, {"\"%\"", 10, -1, -1}, {"true", 10, -1, -1},
  };
  for (const Case& c : cases) {
    CAPTURE(c.json, c.total);
    const json::value value = *parse_json(c.json);
    CHECK(resolve_int_or_percent(&value, c.total, true, -1) == c.up);
    CHECK(resolve_int_or_percent(&value, c.total, false, -1) == c.down);
  }
  CHECK(resolve_int_or_percent(nullptr, 10, true, 7) == 7);
}

}  // namespace
}  // namespace coracle::controllers
