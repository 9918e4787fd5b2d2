#include "api/taints.hpp"

#include <catch2/catch.hpp>

namespace coracle::api {
namespace {

std::vector<Toleration> tolerations(const char* text) {
  return parse_tolerations(parse_json(text)->as_array());
}

TEST_CASE("which tolerations bear a taint") {
  const Taint taint{"disk", "slow", TaintEffect::kNoExecute};
  struct Case {
    const char *name, *tolerations;
    bool borne;
  };
  const std::vector<Case> cases{
      {"none", "[]", false},
      {"the same", R"([{"key":"disk","value":"slow","effect":"NoExecute"}])", true},
      {"Equal is said", R"([{"key":"disk","operator":"Equal","value":"slow"}])", true},
      {"another value", R"([{"key":"disk","value":"fast"}])", false},
      {"no value", R"([{"key":"disk"}])", false},
      {"any value", R"([{"key":"disk","operator":"Exists"}])", true},
      {"another key", R"([{"key":"cpu","operator":"Exists"}])", false},
      {"any key", R"([{"operator":"Exists"}])", true},
      {"any key needs Exists", R"([{"value":"slow"}])", false},
      {"any effect", R"([{"key":"disk","operator":"Exists","effect":""}])", true},
      {"another effect", R"([{"key":"disk","operator":"Exists","effect":"NoSchedule"}])", false},
      {"an unknown effect", R"([{"key":"disk","operator":"Exists","effect":"Maybe"}])", false},
      {"the second", R"([{"key":"a","operator":"Exists"},{"operator":"Exists"}])", true},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK((tolerated_by(taint, tolerations(c.tolerations)) != nullptr) == c.borne);
  }
}

TEST_CASE("the first toleration that bears a taint says how long") {
  const auto list = tolerations(
      R"([{"key":"a","operator":"Exists"},{"operator":"Exists","tolerationSeconds":5},
          {"operator":"Exists"}])");
  const Toleration* found = tolerated_by({"b", "", TaintEffect::kNoExecute}, list);
  REQUIRE(found == &list[1]);
  CHECK(found->seconds == 5);
  CHECK_FALSE(tolerated_by({"a", "", TaintEffect::kNoExecute}, list)->seconds.has_value());
}

TEST_CASE("taints with an effect nobody knows are none") {
  const auto parsed = parse_taints(
      parse_json(R"([{"key":"a","effect":"NoSchedule"},{"key":"b","effect":"Never"},{"key":"c"}])")
          ->as_array());
  CHECK(parsed == std::vector<Taint>{{"a", "", TaintEffect::kNoSchedule}});
}

}  // namespace
}  // namespace coracle::api
