#include "api/jsonpath.hpp"

#include <catch2/catch.hpp>

namespace coracle::api {
namespace {

const json::value& store() {
  static const json::value kStore = parse_json(R"({
    "name":"s","n":3,"f":1.5,"ok":true,"none":null,
    "metadata":{"labels":{"app.kubernetes.io/name":"web","b":"2"}},
    "items":[{"name":"x","kind":"A","size":1,"tags":["p","q"]},
             {"name":"y","kind":"B","size":2},
             {"name":"z","kind":"A","size":3}]})")
                                        .value();
  return kStore;
}

TEST_CASE("templates print as kubectl prints them") {
  const std::pair<const char*, const char*> cases[] = {
      {"{.name}", "s"},
      {"plain", "plain"},
      {"{.n}/{.f}/{.ok}", "3/1.5/true"},
      {"{.items[*].name}", "x y z"},
      {"{.items[0].name}{.items[-1].name}", "xz"},
      {"{.items[0:2].name}", "x y"},
      {"{.items[::2].name}", "x z"},
      {"{.items[0,2].name}", "x z"},
      {"{.items[0]['name','kind']}", "x A"},
      {"{.metadata.labels.app\\.kubernetes\\.io/name}", "web"},
      {"{.metadata.labels['app.kubernetes.io/name']}", "web"},
      {"{.items[?(@.kind==\"A\")].name}", "x z"},
      {"{.items[?(@.kind!='A')].name}", "y"},
      {"{.items[?(@.size>1)].name}", "y z"},
      {"{.items[?(@.tags)].name}", "x"},
      {"{.items[?(@.size<=2)].name}", "x y"},
      {"{range .items[*]}{.name}:{.size}{\"\\n\"}{end}.", "x:1\ny:2\nz:3\n."},
      {"{range .items[*]}{range .tags[*]}<{@}>{end}{.name} {end}", "<p><q>x y z "},
      {"{..name}", "s x y z"},
      {"{.metadata.labels.*}", "web 2"},
      {"{.items[0].tags}", "[\"p\",\"q\"]"},
      {"{.items[1]}", "{\"kind\":\"B\",\"name\":\"y\",\"size\":2}"},
      {"{$.name}{@.name}", "ss"},
      {"{'a'}{\"b\"}", "ab"},
  };
  for (const auto& [text, want] : cases) {
    CAPTURE(text);
    const Result<JsonPath> path = JsonPath::parse(text);
    REQUIRE(path.ok());
    const Result<std::string> printed = path->print(store(), {.allow_missing_keys = true});
    CAPTURE(printed.status().message());
    REQUIRE(printed.ok());
    CHECK(*printed == want);
  }
}

TEST_CASE("bad templates and missing things fail with kubectl's texts") {
  const std::pair<const char*, const char*> parse[] = {
      {"{.a", "unclosed action"},
      {"{foo}", "unrecognized identifier foo"},
      {"{\"a}", "unterminated quoted string"},
      {"{.a[0}", "unterminated array"},
      {"{.a[?(@.b==1]}", "unterminated filter"},
      {"{.a[?(@.b==\"\\", "unterminated filter"},
      {"{.a[x]}", "invalid array index x"},
      {"{end}", "not in range, nothing to end"},
      {"{&}", "unrecognized character in action: U+0026 '&'"},
  };
  for (const auto& [text, want] : parse) {
    CAPTURE(text);
    CHECK(JsonPath::parse(text).status().message() == want);
  }
  const std::pair<const char*, const char*> run[] = {
      {"{.missing}", "missing is not found"},
      {"{.items[5]}", "array index out of bounds: index 5, length 3"},
      {"{.name[0]}", "s is not array or slice"},
  };
  for (const auto& [text, want] : run) {
    CAPTURE(text);
    CHECK(JsonPath::parse(text)->print(store()).status().message() == want);
  }
}

TEST_CASE("relaxed expressions all mean {.name}") {
  for (const char* text : {"name", ".name", "{name}", "{.name}"}) {
    CAPTURE(text);
    CHECK(JsonPath::parse_relaxed(text)->print(store()).value() == "s");
  }
  CHECK_FALSE(JsonPath::parse_relaxed("{a}{b}").ok());
}

TEST_CASE("paths of columns") {
  CHECK(jsonpath_values(store(), ".items[?(@.kind==\"B\")].size").at(0)->as_int64() == 2);
  CHECK(jsonpath_values(store(), ".metadata.labels.b").at(0)->as_string() == "2");
  CHECK(jsonpath_values(store(), ".nope.nope").empty());
  CHECK(jsonpath_values(store(), "..[").empty());
}

TEST_CASE("jsonpath: a path that leads everywhere again and again is given up") {
  std::string nested = "1", path = "{";
  for (int i = 0; i < 60; ++i) {
    nested = "[" + nested + "]";
    path += "..";
  }
  const json::value root = *parse_json(nested);
  CHECK(
      JsonPath::parse(path + "a}")->print(root, {.allow_missing_keys = true}).status().message() ==
      "the path leads to too many values");
  CHECK(JsonPath::parse("{..}")->print(root).ok());
}

}  // namespace
}  // namespace coracle::api
