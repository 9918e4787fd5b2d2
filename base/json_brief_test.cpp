#include "base/json_brief.hpp"

#include <catch2/catch.hpp>

#include "base/rng.hpp"

namespace coracle {
namespace {

TEST_CASE("what is left out of a document") {
  struct Row {
    const char* name;
    std::vector<std::string> left_out;
    std::string text, rest;
  };
  const Row row = GENERATE(values<Row>({
      {"the example",
       {"metadata.managedFields", "spec.containers.env"},
       R"({"metadata":{"name":"x","managedFields":[{}]},"spec":{}})",
       R"({"metadata":{"name":"x"},"spec":{}})"},
      {"nothing", {}, R"({"a":[1,{"b":null}]})", R"({"a":[1,{"b":null}]})"},
      {"of each element", {"a.b"}, R"({"a":[{"b":1,"c":2},3,{"b":[{}]},[{"b":{}}]],"b":4})",
       R"({"a":[{"c":2},3,{},[{}]],"b":4})"},
      {"scalars of each kind",
       {"n", "t", "d", "s", "i"},
       R"({"n":null,"x":1,"t":true,"d":1.5,"s":"\u0061b","i":-7,"y":"z"})",
       R"({"x":1,"y":"z"})"},
      {"the same name elsewhere", {"a.b"}, R"({"b":1,"c":{"b":[2]},"a":{"d":{"b":3}}})",
       R"({"b":1,"c":{"b":[2]},"a":{"d":{"b":3}}})"},
      {"a scalar on the way", {"a.b"}, R"({"a":7,"c":2})", R"({"a":7,"c":2})"},
      {"containers inside", {"a"}, R"({"a":{"a":[{"x":[]}],"b":{}},"c":{"a":1}})",
       R"({"c":{"a":1}})"},
      {"escapes", {"a.b"}, R"({"\u0061":{"\u0062":"\n","c":"\n\u00e9x"}})",
       "{\"a\":{\"c\":\"\\n\u00e9x\"}}"},
      {"the last of two", {"b"}, R"({"a":1,"b":0,"a":2})", R"({"a":2})"},
      {"no object", {"a"}, "[1]", "[1]"},
  }));
  CAPTURE(row.name);
  const auto brief = JsonBrief(row.left_out).parse(row.text);
  REQUIRE(brief.ok());
  CHECK(to_json(**brief) == row.rest);
}

TEST_CASE("what parse_json refuses is refused, left out or not") {
  const std::string text = GENERATE(values<std::string>(
      {"", "{", R"({"z":[1,})", R"({"z":{"a":tru}})", R"({"z":"\q"})", R"({"z":1e999})", "{} x",
       std::string(2000, '[') + std::string(2000, ']')}));
  CAPTURE(text);
  REQUIRE_FALSE(parse_json(text).ok());
  CHECK_FALSE(JsonBrief({"z"}).parse(text).ok());
  CHECK_FALSE(JsonBrief({}).parse(text).ok());
}

json::value random_tree(Rng& rng, int depth) {
  const auto kind = rng.below(depth == 0 ? 3 : 5);
  if (kind == 0) return rng.between(-5, 5);
  if (kind == 1) return std::string(rng.below(40), 'x').c_str();
  if (kind == 2) return nullptr;
  if (kind == 3) {
    json::array array;
    for (auto n = rng.below(4); n > 0; --n) array.push_back(random_tree(rng, depth - 1));
    return array;
  }
  json::object object;
  for (const char* name : {"a", "b", "c", "d"}) {
    if (rng.below(2) == 0) object[name] = random_tree(rng, depth - 1);
  }
  return object;
}

void leave_out(json::value& tree, std::string_view path) {
  if (json::array* array = tree.if_array()) {
    for (json::value& element : *array) leave_out(element, path);
  }
  json::object* object = tree.if_object();
  if (object == nullptr) return;
  const auto dot = path.find('.');
  if (dot == path.npos) return static_cast<void>(erase_key(*object, std::string(path)));
  if (json::value* next = find_member(*object, path.substr(0, dot))) {
    leave_out(*next, path.substr(dot + 1));
  }
}

TEST_CASE("random trees: the same as building all and taking out what is left out") {
  Rng rng(7);
  const std::vector<std::string> paths{"a.b", "b", "c.a.d", "d.d"};
  const JsonBrief brief(paths);
  for (int i = 0; i < 2000; ++i) {
    json::value tree = random_tree(rng, 5);
    const std::string text = to_json(tree);
    CAPTURE(i, text);
    for (const std::string& path : paths) leave_out(tree, path);
    const auto parsed = brief.parse(text);
    REQUIRE(parsed.ok());
    REQUIRE(to_json(**parsed) == to_json(tree));
  }
}

}  // namespace
}  // namespace coracle
