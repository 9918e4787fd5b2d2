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
      {"of each element",
       {"a.b"},
       R"({"a":[{"b":1,"c":2},3,{"b":[{}]},[{"b":{}}]],"b":4})",
       R"({"a":[{"c":2},3,{},[{}]],"b":4})"},
      {"scalars of each kind",
       {"n", "t", "d", "s", "i"},
       R"({"n":null,"x":1,"t":true,"d":1.5,"s":"\u0061b","i":-7,"y":"z"})",
       R"({"x":1,"y":"z"})"},
      {"the same name elsewhere",
       {"a.b"},
       R"({"b":1,"c":{"b":[2]},"a":{"d":{"b":3}}})",
       R"({"b":1,"c":{"b":[2]},"a":{"d":{"b":3}}})"},
      {"a scalar on the way", {"a.b"}, R"({"a":7,"c":2})", R"({"a":7,"c":2})"},
      {"containers inside",
       {"a"},
       R"({"a":{"a":[{"x":[]}],"b":{}},"c":{"a":1}})",
       R"({"c":{"a":1}})"},
      {"escapes",
       {"a.b"},
       R"({"\u0061":{"\u0062":"\n","c":"\n\u00e9x"}})",
       "{\"a\":{\"c\":\"\\n\u00e9x\"}}"},
      {"the last of two", {"b"}, R"({"a":1,"b":0,"a":2})", R"({"a":2})"},
      {"no object", {"a"}, "[1]", "[1]"},
  }));
  CAPTURE(row.name);
  const auto brief = JsonBrief(row.left_out).parse(row.text);
  REQUIRE(brief.ok());
  CHECK(to_json(**brief) == row.rest);
}

TEST_CASE("what parse_json refuses is refused") {
  const std::string text = GENERATE(values<std::string>(
      {"", " ", "{", R"({"z":[1,})", R"({"z":{"a":tru}})", R"({"z":"\q"})", R"({"z":1e999})",
       "{} x", R"({"z":01})", R"({"z":-})", R"({"z":1,})", "[1 2]", "[,]", R"({z:1})", "\"a\nb\"",
       "\"\xff\"", std::string(201, '[') + std::string(201, ']')}));
  CAPTURE(text);
  REQUIRE_FALSE(parse_json(text).ok());
  CHECK_FALSE(JsonBrief({"y"}).parse(text).ok());
  CHECK_FALSE(JsonBrief({}).parse(text).ok());
}

TEST_CASE("of what is left out the end is found") {
  const std::string value =
      GENERATE(values<std::string>({"1", "-2.5e3", "null", R"("]}\",\\")", R"([])",
                                    R"([[{"a":"}]"}],2])", R"({"x":"\u00e9{"})"}));
  CAPTURE(value);
  for (const std::string& text :
       {R"({"z":)" + value + R"(,"y":1})", R"({"y":1, "z" : )" + value + " }"}) {
    const auto brief = JsonBrief({"z"}).parse(text);
    REQUIRE(brief.ok());
    CHECK(to_json(**brief) == R"({"y":1})");
  }
  CHECK_FALSE(JsonBrief({"z"}).parse(R"({"z":)" + value).ok());
}

json::value random_tree(Rng& rng, int depth) {
  static const std::vector<json::value> kScalars{nullptr,
                                                 true,
                                                 false,
                                                 0,
                                                 -1,
                                                 1.5,
                                                 -2e-9,
                                                 INT64_MAX,
                                                 INT64_MIN,
                                                 UINT64_MAX,
                                                 1e18,
                                                 123456789012345678,
                                                 1234567890123456789,
                                                 "",
                                                 "\"\\/\n\x01",
                                                 "caf\u00e9",
                                                 "\U0001f600 x",
                                                 "\x7f"};
  const auto kind = rng.below(depth == 0 ? 3 : 5);
  if (kind == 0) return rng.between(-5, 5);
  if (kind == 1) return std::string(rng.below(40), 'x').c_str();
  if (kind == 2) return kScalars[rng.below(kScalars.size())];
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

TEST_CASE("a text with one byte changed: as parse_json has it") {
  Rng rng(8);
  const JsonBrief brief({});
  constexpr std::string_view kBytes = "{}[]\",:\\ 0-e.tn\x1f\xc3";
  int refused = 0;
  for (int i = 0; i < 4000; ++i) {
    std::string text = to_json(random_tree(rng, 4));
    text[rng.below(text.size())] = kBytes[rng.below(kBytes.size())];
    CAPTURE(i, text);
    const auto whole = parse_json(text);
    const auto parsed = brief.parse(text);
    REQUIRE(parsed.ok() == whole.ok());
    if (whole.ok()) REQUIRE(to_json(**parsed) == to_json(*whole));
    refused += whole.ok() ? 0 : 1;
  }
  CHECK(refused > 1000);
}

}  // namespace
}  // namespace coracle
