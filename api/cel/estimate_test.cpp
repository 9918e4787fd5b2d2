#include "api/cel/estimate.hpp"

#include <catch2/catch.hpp>

using namespace coracle;
using namespace coracle::api;
using namespace coracle::api::cel;

namespace {

std::uint64_t cost(const char* schema, const char* rule) {
  const json::value tree = *parse_json(schema);
  SchemaSet types;
  const auto shape = types.compile_one(tree, "schema");
  REQUIRE(shape.ok());
  Environment environment;
  environment.declare("self", Type::from_schema(*shape));
  environment.declare("oldSelf", Type::from_schema(*shape));
  const auto program = Program::compile(rule, environment);
  INFO(rule);
  CHECK(program.status().message() == "");
  const auto of = measure(tree, false);
  REQUIRE(of != nullptr);
  return highest_cost(rule, environment, *of);
}

}  // namespace

TEST_CASE("what rules cost at most is told from bounds of schemas") {
  struct Case {
    const char* schema;
    const char* rule;
    std::uint64_t want;
  };
  constexpr const char* kNumbers = R"({"type": "array", "items": {"type": "integer"}})";
  constexpr const char* kTenNumbers =
      R"({"type": "array", "maxItems": 10, "items": {"type": "integer"}})";
  constexpr const char* kTexts = R"({"type": "array", "items": {"type": "string"}})";
  constexpr const char* kFewTexts =
      R"({"type": "array", "maxItems": 25, "items": {"type": "string", "maxLength": 10}})";
  constexpr const char* kText = R"({"type": "string"})";
  constexpr const char* kShortText = R"({"type": "string", "maxLength": 10})";
  constexpr const char* kMap = R"({"type": "object", "additionalProperties": {"type": "string"}})";
  constexpr const char* kRange = R"({"type": "object", "properties": {
      "min": {"type": "integer"}, "max": {"type": "integer"}, "name": {"type": "string"}}})";
  const Case cases[] = {
      {kNumbers, "self.all(x, true)", 4'718'591},
      {kTenNumbers, "self.all(x, true)", 32},
      {kTexts, "self.all(x, true)", 3'145'727},
      {kFewTexts, "self.all(x, x.contains('a string'))", 202},
      {kText, "self.contains('test')", 314'574},
      {kShortText, "self.contains('test')", 5},
      {kText, "self.startsWith('test')", 2},
      {kText, "self.matches('x*y')", 314'574},
      {kMap, "self.all(k, k.size() > 0)", 2 + 6UL * ((3145728 - 2) / 8)},
      {kText, "self == oldSelf", 314'575},
      {kRange, "self.min <= self.max", 5},
      {kRange, "self == oldSelf", 2},
      {kRange, "has(self.name) && self.name != ''", 3},
      {kRange, "'min ' + string(self.min) == ''", 1'844'674'407'370'955'267UL},
      {kRange, "'%d > %d'.format([self.min, self.max]) == ''", 15},
      {kTenNumbers, "self.filter(x, x > 1).size() == 1", 164},
      {kTenNumbers, "self.map(x, x + 1).sum() == 1", 163},
  };
  for (const Case& one : cases) {
    INFO(one.rule << " of " << one.schema);
    CHECK(cost(one.schema, one.rule) == one.want);
  }
}

TEST_CASE("a schema tells how large its values may be") {
  const auto of = measure(*parse_json(R"({"type": "object", "required": ["a", "b"], "properties": {
      "a": {"type": "string", "enum": ["x", "long"]}, "b": {"type": "integer", "default": 1},
      "c": {"x-kubernetes-int-or-string": true, "maxLength": 5}, "d": {"type": "array"}}})"),
                          true);
  REQUIRE(of != nullptr);
  CHECK(of->least == 2 + 1 + 2 + 4);
  CHECK(of->fields.at("a")->longest == 4);
  CHECK(of->fields.at("c")->longest == 20);
  CHECK(of->fields.count("d") == 0);
  CHECK(of->fields.at("metadata")->fields.count("name") == 1);
  CHECK(most_in_request(*of) == 314'572);
}
