// Bodies that are no document, or one that nobody should take: nested, huge, repeated, no Unicode,
// no number. What each hears is Go's and upstream's wording.
#include <catch2/catch.hpp>

#include "apiserver/testing/api_world.hpp"

namespace coracle::apiserver {
namespace {

const std::string kUnrecognized =
    "the object provided is unrecognized (must be of type ConfigMap): ";
const std::string kJson = kUnrecognized + "couldn't get version/kind; json parse error: ";

std::string nested(int depth) {
  std::string out;
  for (int i = 0; i < depth; ++i) out += "{\"a\":";
  return out + "1" + std::string(std::size_t(depth), '}');
}

struct Body {
  std::string name, type, text;
  int code;
  std::string message;
};

std::vector<Body> bodies() {
  const std::string json = "application/json", yaml = "application/yaml";
  const std::string shape =
      " into Go value of type struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; "
      "Kind "
      "string \"json:\\\"kind,omitempty\\\"\" }";
  return {
      {"none", json, "", 400, kJson + "unexpected end of JSON input (<empty>)"},
      {"cut off", json, R"({"kind":)", 400, kJson + "unexpected end of JSON input ({\"kind\":)"},
      {"long", json, R"({"kind":"ConfigMap", "apiVersion":"v1" x)", 400,
       kJson + "invalid character 'x' after object key:value pair "
               "({\"kind\":\"ConfigMap\", \"apiVersi ...)"},
      {"NaN", json, R"({"data":NaN})", 400,
       kJson + "invalid character 'N' looking for beginning of value ({\"data\":NaN})"},
      {"text", json, "a=b", 400,
       kJson + "invalid character 'a' looking for beginning of value (613d62)"},
      {"a list", json, "[]", 400, kJson + "json: cannot unmarshal array" + shape + " (5b5d)"},
      {"a number", json, "5", 400, kJson + "json: cannot unmarshal number" + shape + " (35)"},
      {"null", json, "null", 422,
       "ConfigMap \"\" is invalid: metadata.name: Required value: name or generateName is "
       "required"},
      {"kind is a number", json, R"({"kind":5})", 400,
       kJson + "json: cannot unmarshal number into Go struct field .kind of type string "
               "({\"kind\":5})"},
      {"a number no double holds", json, R"({"immutable":1e999})", 400,
       kUnrecognized + "json: cannot unmarshal number 1e999 into Go value of type float64 "
                       "({\"immutable\":1e999})"},
      {"nested", json, nested(300), 400,
       kJson + "exceeded max depth ({\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\": ...)"},
      {"deeply nested", json, nested(200000), 400,
       kJson + "exceeded max depth ({\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\": ...)"},
      {"YAML that is none", yaml, "a: b: c", 400,
       kUnrecognized + "yaml: line 1: mapping values are not allowed in this context "
                       "(613a20623a2063)"},
      {"a YAML list", yaml, "- a", 400,
       kJson + "json: cannot unmarshal array" + shape + " (2d2061)"},
      {"no YAML at all", yaml, "# nothing\n", 422,
       "ConfigMap \"\" is invalid: metadata.name: Required value: name or generateName is "
       "required"},
  };
}

TEST_CASE("a body that is no object is told what is wrong with it") {
  ApiWorld w;
  for (const Body& body : bodies()) {
    CAPTURE(body.name);
    const auto answer = w.call("POST", kMaps, body.text, {{"Content-Type", body.type}});
    const json::value status = w.tree(answer);
    CHECK(answer->status == body.code);
    CHECK(get_int(status, "code") == body.code);
    CHECK(get_string(status, "reason") == (body.code == 422 ? "Invalid" : "BadRequest"));
    CHECK(get_string(status, "message") == body.message);
  }
  const auto cut = w.call("DELETE", std::string(kMaps) + "/m", "{", {});
  CHECK(cut->status == 400);
  CHECK(get_string(w.tree(cut), "message") ==
        "couldn't get version/kind; json parse error: unexpected end of JSON input");
}

TEST_CASE("bytes that are no Unicode are stored as U+FFFD") {
  ApiWorld w;
  const auto made =
      w.call("POST", kMaps, "{\"metadata\":{\"name\":\"m\"},\"data\":{\"a\":\"\xff\\ud800\"}}");
  REQUIRE(made->status == 201);
  CHECK(get_string(w.tree(made), "data.a") == "\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST_CASE("a patch that is no JSON is told so") {
  ApiWorld w;
  REQUIRE(w.call("POST", kMaps, a_config_map("m"))->status == 201);
  const auto message = [&](const std::string& type, const std::string& body) {
    const auto answer = w.patch(type, std::string(kMaps) + "/m", body);
    CHECK(answer->status == 400);
    return std::string(get_string(w.tree(answer), "message"));
  };
  CHECK(message("merge-patch+json", "{") == "error decoding patch: unexpected end of JSON input");
  CHECK(message("json-patch+json", "[NaN]") ==
        "error decoding patch: invalid character 'N' looking for beginning of value");
  CHECK(message("merge-patch+json", nested(300)) == "error decoding patch: exceeded max depth");
  CHECK(message("strategic-merge-patch+json", "{'a'}") ==
        "invalid character '\\'' looking for beginning of object key string");
}

}  // namespace
}  // namespace coracle::apiserver
