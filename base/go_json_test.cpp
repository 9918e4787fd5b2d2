#include "base/go_json.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>

namespace coracle {
namespace {

TEST_CASE("what is no JSON is told in Go's words") {
  struct Case {
    const char *text, *error;
  };
  const Case cases[] = {
      {"{\"a\": [1, -2.5e+3, true, null, \"\\u00e9\\n\"], \"b\": {}, \"c\": []}", ""},
      {" 0 ", ""},
      {"\"\"", ""},
      {"", "unexpected end of JSON input"},
      {"  ", "unexpected end of JSON input"},
      {"{", "unexpected end of JSON input"},
      {"[1,", "unexpected end of JSON input"},
      {"{\"a\"", "unexpected end of JSON input"},
      {"{\"a\":", "unexpected end of JSON input"},
      {"\"abc", "unexpected end of JSON input"},
      {"\"a\\", "unexpected end of JSON input"},
      {"\"\\u12", "unexpected end of JSON input"},
      {"-", "unexpected end of JSON input"},
      {"tru", "unexpected end of JSON input"},
      {"NaN", "invalid character 'N' looking for beginning of value"},
      {"{\"a\":NaN}", "invalid character 'N' looking for beginning of value"},
      {"{a:1}", "invalid character 'a' looking for beginning of object key string"},
      {"{\"a\":1,}", "invalid character '}' looking for beginning of object key string"},
      {"[1,]", "invalid character ']' looking for beginning of value"},
      {"{\"a\" 1}", "invalid character '1' after object key"},
      {"{\"a\":1 \"b\"}", "invalid character '\"' after object key:value pair"},
      {"[1 2]", "invalid character '2' after array element"},
      {"{\"a\":[1}", "invalid character '}' after array element"},
      {"{} x", "invalid character 'x' after top-level value"},
      {"\"a\nb\"", "invalid character '\\n' in string literal"},
      {"\"\\x\"", "invalid character 'x' in string escape code"},
      {"\"\\u12g4\"", "invalid character 'g' in \\u hexadecimal character escape"},
      {"-a", "invalid character 'a' in numeric literal"},
      {"1.a", "invalid character 'a' after decimal point in numeric literal"},
      {"1e+x", "invalid character 'x' in exponent of numeric literal"},
      {"01", "invalid character '1' after top-level value"},
      {"trux", "invalid character 'x' in literal true (expecting 'e')"},
      {"nil", "invalid character 'i' in literal null (expecting 'u')"},
      {"'a'", "invalid character '\\'' looking for beginning of value"},
      {"\x01", "invalid character '\\x01' looking for beginning of value"},
      {"\xff", "invalid character '\xc3\xbf' looking for beginning of value"},
      {"\xa0", "invalid character '\\u00a0' looking for beginning of value"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    CHECK(go_syntax_error(c.text) == c.error);
    CHECK(parse_go_json(c.text).ok() == (*c.error == '\0'));
  }
}

TEST_CASE("a text may nest as deep as Go lets it, a tree less") {
  const auto nested = [](int depth) {
    return std::string(std::size_t(depth), '[') + std::string(std::size_t(depth), ']');
  };
  CHECK(go_syntax_error(nested(10'000)).empty());
  CHECK(go_syntax_error(nested(10'001)) == "exceeded max depth");
  CHECK(parse_go_json(nested(150)).ok());
  CHECK(parse_go_json(nested(10'000)).status().message() == "exceeded max depth");
  std::string objects;
  for (int i = 0; i < 1'000'000; ++i) objects += "{\"a\":";
  CHECK(parse_go_json(objects).status().message() == "exceeded max depth");
}

TEST_CASE("what is no Unicode is read as U+FFFD") {
  const auto read = [](const std::string& text) {
    const auto value = parse_go_json("\"" + text + "\"");
    REQUIRE(value.ok());
    return std::string(value->as_string());
  };
  const std::string mark = "\xEF\xBF\xBD";
  CHECK(read("a\xff") == "a" + mark);
  CHECK(read("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80") == "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
  CHECK(read("\xe2\x82") == mark + mark);
  CHECK(read("\xc0\x80") == mark + mark);
  CHECK(read("\xed\xa0\x80") == mark + mark + mark);
  CHECK(read("\\ud800") == mark);
  CHECK(read("\\ud83d\\ude00\xff") == "\xf0\x9f\x98\x80" + mark);
  CHECK(read("\\udc00\\ud800\\n") == mark + mark + "\n");
  CHECK(read("\\\\\\\"\xff") == "\\\"" + mark);
  std::vector<std::string> duplicates;
  CHECK(parse_go_json("{\"\xff\":1,\"\xff\":2}", &duplicates).ok());
  CHECK(duplicates == std::vector<std::string>{mark});
}

TEST_CASE("a number that was written reads the same") {
  for (const char* text : {"92233720367095513709551614", "9.223372036709551e+25", "0.1", "1e23",
                           "5e-324", "1.7976931348623157e308", "123456789012345678901234567890"}) {
    CAPTURE(text);
    const auto first = parse_json(text);
    REQUIRE(first.ok());
    const auto second = parse_json(to_json(*first));
    CHECK(second->as_double() == first->as_double());
    CHECK(first->as_double() == std::strtod(text, nullptr));
  }
}

TEST_CASE("numbers that no double holds are refused") {
  const auto value = parse_go_json("{\"a\":[1e308,-1e999,1e400]}");
  CHECK(value.status().code() == Code::kFailedPrecondition);
  CHECK(value.status().message() ==
        "json: cannot unmarshal number -1e999 into Go value of type float64");
  CHECK_FALSE(parse_json("1e999").ok());
  CHECK(parse_json("1e-999").ok());
}

}  // namespace
}  // namespace coracle
