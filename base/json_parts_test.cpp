#include "base/json_parts.hpp"

#include <catch2/catch.hpp>

#include "base/rng.hpp"

namespace coracle {
namespace {

TEST_CASE("parts of a document") {
  struct Row {
    const char* name;
    std::vector<std::string> paths;
    std::string text, parts;
  };
  const Row row = GENERATE(values<Row>({
      {"the example",
       {"metadata.labels", "spec.nodeName"},
       R"({"metadata":{"name":"x","labels":{"a":"b"}},"spec":{"nodeName":"n","z":[1]}})",
       R"({"metadata":{"labels":{"a":"b"}},"spec":{"nodeName":"n"}})"},
      {"a wanted array is whole",
       {"s.ips"},
       R"({"s":{"ips":[{"ip":"1"},[2,{"x":{}}]],"more":[{}]},"t":1})",
       R"({"s":{"ips":[{"ip":"1"},[2,{"x":{}}]]}})"},
      {"nothing of it is there", {"a.b"}, R"({"x":{"a":{"b":1}}})", "{}"},
      {"an array on the way", {"a.b"}, R"({"a":[{"b":1}],"c":2})", R"({"a":null})"},
      {"a scalar on the way", {"a.b"}, R"({"a":7,"c":2})", R"({"a":7})"},
      {"a path inside a path", {"a", "a.b"}, R"({"a":{"b":1,"c":2}})", R"({"a":{"b":1,"c":2}})"},
      {"escapes", {"a.b"}, R"({"\u0061":{"b":"\n\u00e9x"}})", "{\"a\":{\"b\":\"\\n\u00e9x\"}}"},
      {"the last of two", {"a"}, R"({"a":1,"a":2})", R"({"a":2})"},
      {"no object", {"a"}, "[1]", "null"},
      {"all", {}, R"({"a":[1,{"b":null}]})", R"({"a":[1,{"b":null}]})"},
  }));
  CAPTURE(row.name);
  auto parts = JsonParts(row.paths).parse(row.text);
  REQUIRE(parts.ok());
  CHECK(to_json(*parts) == row.parts);
}

TEST_CASE("what parse_json refuses, parts refuse, wanted or not") {
  const JsonParts parts({"a"});
  for (const std::string text : {"", "{", "{\"b\":}", "{\"b\":[1,}", "{} x", "{\"b\":\"\xff\"}",
                                 "{\"b\":nul}", "{\"b\":1e999999x}"}) {
    CAPTURE(text);
    CHECK_FALSE(parts.parse(text).ok());
    CHECK_FALSE(parse_json(text).ok());
  }
  CHECK_FALSE(parts.parse("{\"b\":" + std::string(100000, '[')).ok());
}

// A naive twin: the whole tree.
json::value random_tree(Rng& rng, int depth) {
  const auto pick = rng.below(depth > 3 ? 4 : 6);
  if (pick == 0) return nullptr;
  if (pick == 1) return rng.below(2) == 1;
  if (pick == 2) return rng.below(1000);
  if (pick == 3) return json::string("t\"" + std::to_string(rng.below(10)));
  if (pick == 4) {
    json::array out;
    for (auto n = rng.below(4); n > 0; --n) out.push_back(random_tree(rng, depth + 1));
    return out;
  }
  json::object out;
  for (auto n = rng.below(5); n > 0; --n) {
    out[std::string(1, static_cast<char>('a' + rng.below(4)))] = random_tree(rng, depth + 1);
  }
  return out;
}

TEST_CASE("parts are found as in the whole tree") {
  const std::uint64_t seed = GENERATE(range(1, 300));
  CAPTURE(seed);
  Rng rng(seed);
  const json::value tree = random_tree(rng, 0);
  const std::vector<std::string> paths = {"a", "b.c", "b.d.a", "c.a.b.d"};
  auto parts = JsonParts(paths).parse(to_json(tree));
  REQUIRE(parts.ok());
  for (const std::string& path : paths) {
    const json::value* want = find(tree, path);
    const json::value* got = find(*parts, path);
    CAPTURE(path, to_json(tree));
    REQUIRE((want == nullptr) == (got == nullptr));
    if (want != nullptr) CHECK(*want == *got);
  }
}

TEST_CASE("whole trees come back as they were, whatever repeats") {
  Rng rng(static_cast<std::uint64_t>(GENERATE(range(1, 200))));
  const json::value tree = random_tree(rng, 0);
  std::vector<std::string> duplicates;
  CHECK(*parse_json(to_json(tree), &duplicates) == tree);
  CHECK(duplicates.empty());
}

}  // namespace
}  // namespace coracle
