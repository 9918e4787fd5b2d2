#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "base/clock.hpp"
#include "base/digest.hpp"
#include "base/encoding.hpp"
#include "base/json.hpp"
#include "base/rng.hpp"
#include "base/strings.hpp"
#include "base/task.hpp"
#include "base/yaml.hpp"

using namespace coracle;
using namespace std::chrono_literals;

TEST_CASE("times are read and written as RFC 3339") {
  for (const char* text :
       {"1970-01-01T00:00:00Z", "2026-11-21T06:00:01Z", "2000-02-29T23:59:59Z"}) {
    REQUIRE(format_time(*parse_time(text)) == text);
  }
  REQUIRE(format_micro_time(*parse_time("2026-11-21T07:00:00.25+01:00")) ==
          "2026-11-21T06:00:00.250000Z");
  for (const char* text : {"", "2026-11-21", "2026-02-30T00:00:00Z", "2026-11-21T25:00:00Z",
                           "2026-11-21T00:00:00", "2026-11-21T00:00:00.Z"}) {
    CAPTURE(text);
    REQUIRE(parse_time(text).status().code() == Code::kInvalidArgument);
  }
}

TEST_CASE("ages are printed as kubectl prints them") {
  struct Case {
    Duration age;
    const char* text;
  };
  auto c = GENERATE(values<Case>({{0s, "0s"},
                                  {-5s, "<invalid>"},
                                  {119s, "119s"},
                                  {120s, "2m"},
                                  {185s, "3m5s"},
                                  {10min, "10m"},
                                  {179min, "179m"},
                                  {185min, "3h5m"},
                                  {9h, "9h"},
                                  {47h, "47h"},
                                  {50h, "2d2h"},
                                  {24h * 9, "9d"},
                                  {24h * 400, "400d"},
                                  {24h * 800, "2y70d"}}));
  REQUIRE(human_duration(c.age) == c.text);
}

TEST_CASE("durations in Go's notation") {
  REQUIRE(*parse_duration("1h2m3.5s") == 1h + 2min + 3500ms);
  REQUIRE(*parse_duration("-300ms") == -300ms);
  REQUIRE(*parse_duration("0") == 0s);
  for (const char* text : {"", "5", "s", "1x", "1h2", "."}) {
    CAPTURE(text);
    REQUIRE(!parse_duration(text).ok());
  }
}

TEST_CASE("json keeps order, tells duplicates and where it broke") {
  std::vector<std::string> duplicates;
  const auto value = parse_json(R"({"b":{"x":1,"x":2},"a":[{"k":true,"k":null}]})", &duplicates);
  REQUIRE(to_json(*value) == R"({"b":{"x":2},"a":[{"k":null}]})");
  REQUIRE(duplicates == std::vector<std::string>{"b.x", "a[0].k"});
  REQUIRE(parse_json("{\n \"a\": }").status().message().starts_with("line 2 column"));
  REQUIRE(!parse_json("{} x").ok());
  REQUIRE(!parse_json("").ok());
  REQUIRE(!parse_json("\"\xff\"").ok());
  REQUIRE(!parse_json(std::string(100000, '[')).ok());
  REQUIRE(to_json(*parse_json("[1.0,1.5,18446744073709551615]")) == "[1,1.5,18446744073709551615]");
}

TEST_CASE("text is quoted and escaped") {
  struct Case {
    const char* name;
    std::string text, quoted, json;
  };
  const std::vector<Case> cases{
      {"plain", "abc", R"("abc")", R"("abc")"},
      {"both share these", "a\"b\\c\n\r\t", R"("a\"b\\c\n\r\t")", R"("a\"b\\c\n\r\t")"},
      {"control characters", std::string("\x01\x1f\0", 3), R"("\x01\x1f\x00")",
       R"("\u0001\u001f\u0000")"},
      {"delete", "\x7f", R"("\x7f")", "\"\x7f\""},
      {"beyond ASCII", "\xc3\xa4", "\"\xc3\xa4\"", "\"\xc3\xa4\""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK(quoted(c.text) == c.quoted);
    CHECK(to_json(json::value(c.text)) == c.json);
  }
}

// Texts of every length that is copied in another way, with what JSON escapes at each place.
TEST_CASE("what needs an escape is seen wherever it stands") {
  for (size_t size = 0; size <= 40; ++size) {
    std::string text(size, '\x7f');
    const std::string clean = to_json(json::value(text));
    CHECK(clean == '"' + text + '"');
    for (size_t at = 0; at < size; ++at) {
      for (const auto& [byte, escape] :
           {std::pair('\x1f', "\\u001f"), {'"', "\\\""}, {'\\', "\\\\"}, {'\0', "\\u0000"}}) {
        text[at] = byte;
        CHECK(to_json(json::value(text)) ==
              '"' + text.substr(0, at) + escape + text.substr(at + 1) + '"');
      }
      text[at] = '\x80';  // the top bit is no sign of anything
      CHECK(to_json(json::value(text)) == '"' + text + '"');
      text[at] = '\x7f';
    }
  }
}

TEST_CASE("members are found by every byte of their name") {
  for (size_t size = 0; size <= 40; ++size) {
    const std::string name(size, 'n');
    json::object object{{name + "x", 1}, {name, 2}};
    REQUIRE(find_member(object, name) != nullptr);
    CHECK(*find_member(object, name) == 2);
    for (size_t at = 0; at < size; ++at) {
      std::string other = name;
      other[at] = 'm';
      CHECK(find_member(object, other) == nullptr);
    }
  }
  json::object large;
  for (int i = 0; i < 50; ++i) large["m" + std::to_string(i)] = i;
  CHECK(*find_member(large, "m49") == 49);
  CHECK(find_member(large, "m50") == nullptr);
  CHECK(find_member(json::object(), "m") == nullptr);
  CHECK(find_member(json::value("text"), "m") == nullptr);
}

TEST_CASE("capitals of ASCII are made small, and of nothing else") {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  const std::string small = to_lower(all);
  for (size_t i = 0; i < 256; ++i) {
    CHECK(small[i] == (i >= 'A' && i <= 'Z' ? static_cast<char>(i + 32) : all[i]));
  }
  CHECK(iequals("Content-TYPE", "content-type"));
  CHECK_FALSE(iequals("a", "ab"));
  CHECK_FALSE(iequals("[", "{"));
}

TEST_CASE("paths through json") {
  auto value = *parse_json(R"({"a":{"b":"x","n":3,"t":true}})");
  REQUIRE(get_string(value, "a.b") == "x");
  REQUIRE(get_string(value, "a.c", "none") == "none");
  REQUIRE(get_int(value, "a.n") == 3);
  REQUIRE(get_bool(value, "a.t"));
  REQUIRE(get_array(value, "a.list").empty());
  set_path(value, "a.d.e", 1);
  REQUIRE(to_json(value) == R"({"a":{"b":"x","n":3,"t":true,"d":{"e":1}}})");
}

TEST_CASE("base64 and percent encoding round trip") {
  for (const char* text : {"", "a", "ab", "abc", "abcd", "\xff\xfe"}) {
    REQUIRE(*base64_decode(base64_encode(text)) == text);
    REQUIRE(*base64url_decode(base64url_encode(text)) == text);
    REQUIRE(*percent_decode(percent_encode(text)) == text);
  }
  REQUIRE(!base64_decode("a").ok());
  REQUIRE(!base64_decode("a=b=").ok());
  REQUIRE(!percent_decode("%4").ok());
  REQUIRE(*percent_decode("a%41") == "aA");
  REQUIRE(crc32c("123456789") == 0xe3069283u);
}

TEST_CASE("the generator is the same everywhere") {
  Rng a(7), b(7), c(8);
  const auto first = a.next();
  REQUIRE(first == b.next());
  REQUIRE(first != c.next());
  REQUIRE(a.uuid().size() == 36);
  for (int i = 0; i < 1000; ++i) REQUIRE(a.below(3) < 3);
}

TEST_CASE("yaml scalars are typed as go-yaml types them") {
  const auto value = parse_yaml_one(
      "a: yes\nb: \"yes\"\nc: 0644\nd: 1.5\ne: ~\nf: 2026-11-21\ng: 1e3\nh: 0x1F\ni: -7\nj: 'x'\n");
  REQUIRE(
      to_json(*value) ==
      R"({"a":true,"b":"yes","c":420,"d":1.5,"e":null,"f":"2026-11-21","g":"1e3","h":31,"i":-7,"j":"x"})");
}

TEST_CASE("yaml streams, anchors, merges, duplicates and errors") {
  const auto documents = parse_yaml("a: 1\n---\n---\nb: &x {c: 2}\nd: *x\ne:\n  <<: *x\n  c: 3\n");
  REQUIRE(documents.ok());
  REQUIRE(documents->size() == 2);
  REQUIRE(to_json((*documents)[1].value) == R"({"b":{"c":2},"d":{"c":2},"e":{"c":3}})");
  REQUIRE((*documents)[1].line == 3);
  const auto twice = parse_yaml("a: 1\na: 2\nb:\n- c: 1\n  c:\n    d: 2\n");
  REQUIRE((*twice)[0].duplicates == std::vector<std::string>{"a", "b[0].c"});
  REQUIRE((*twice)[0].repeats == std::vector<std::string>{"line 2: key \"a\" already set in map",
                                                          "line 5: key \"c\" already set in map"});
  REQUIRE(parse_yaml("a: 1\nb: c: d\n").status().message() ==
          "yaml: line 2: mapping values are not allowed in this context");
  REQUIRE(parse_yaml("a:\n\tb: 1\n").status().message() ==
          "yaml: line 2: found character that cannot start any token");
  REQUIRE(parse_yaml("{},").status().message() ==
          "yaml: line 1: did not find expected <document start>");
  CHECK(parse_yaml_one("a: 1\na: 2\n").ok());
  CHECK(parse_yaml_strict("a: 1\nb: {c: 1}\na: 2\n").status().message() ==
        "yaml: line 3: key \"a\" already set in map");
}

TEST_CASE("yaml that is no text is refused in go-yaml's words") {
  const auto why = [](std::string_view text) {
    return std::string(parse_yaml(text).status().message());
  };
  CHECK(why("a: x\xff\n") == "yaml: invalid leading UTF-8 octet");
  CHECK(why("a: \xe2\x82") == "yaml: invalid leading UTF-8 octet");
  CHECK(why("a: \x07") == "yaml: control characters are not allowed");
  CHECK(why("a: \xc2\x9b") == "yaml: control characters are not allowed");
  CHECK(why("a: \"\t\xc2\xa0\xc3\xa9\xf0\x9f\x98\x80\"\r\n").empty());
}

TEST_CASE("yaml keys may hold anything") {
  for (const char* key : {"a\nb: c", "- x\n  y", "? z", "'", "\"\n", "#", "a: b"}) {
    CAPTURE(key);
    json::object object;
    object[key] = 1;
    const json::value tree = object;
    const auto again = parse_yaml_one(to_yaml(tree));
    REQUIRE(again.ok());
    REQUIRE(*again == tree);
  }
}

TEST_CASE("yaml tells the line of every member and element") {
  YamlLines lines;
  const auto value =
      parse_yaml_strict("a: 1\nb:\n- x: 2\n  w: {z: 3}\n-\n  - 4\nc: &k {d: 5}\ne: *k\n", &lines);
  REQUIRE(value.ok());
  const YamlLines expected = {{"a", 1},      {"b", 2},        {"b[0]", 3}, {"b[0].x", 3},
                              {"b[0].w", 4}, {"b[0].w.z", 4}, {"b[1]", 6}, {"b[1][0]", 6},
                              {"c", 7},      {"c.d", 7},      {"e", 8}};
  REQUIRE(lines == expected);
}

TEST_CASE("yaml is written as kubectl writes it") {
  struct Case {
    const char* json;
    const char* yaml;
  };
  auto c = GENERATE(values<Case>({
      {R"({"a":{"b":[1,{"c":"d","e":[]}],"f":{}}})",
       "a:\n  b:\n  - 1\n  - c: d\n    e: []\n  f: {}\n"},
      {R"({"a":"true","b":"12","c":"","d":"x: y","e":"it's","f":"2026-11-21T00:00:00Z"})",
       "a: \"true\"\nb: \"12\"\nc: \"\"\nd: 'x: y'\ne: it's\nf: \"2026-11-21T00:00:00Z\"\n"},
      {R"({"a":"one\ntwo\n","b":"one\ntwo","c":"- x","d":"*","e":"a #b"})",
       "a: |\n  one\n  two\nb: |-\n  one\n  two\nc: '- x'\nd: '*'\ne: 'a #b'\n"},
      {R"([[1,2],"x"])", "- - 1\n  - 2\n- x\n"},
      {R"({"a":"tab\there","b":"end "})", "a: \"tab\\there\"\nb: 'end '\n"},
      {R"({"message":"The node was low on resource: memory. Threshold quantity: 100Mi, available: 96852Ki. "})",
       "message: 'The node was low on resource: memory. Threshold quantity: 100Mi, available:\n"
       "  96852Ki. '\n"},
  }));
  REQUIRE(to_yaml(*parse_json(c.json)) == c.yaml);
  REQUIRE(to_json(*parse_yaml_one(c.yaml)) == c.json);
}

namespace {

Task<int> add(int a, int b) { co_return a + b; }
Task<int> twice(int a) {
  co_return co_await add(a, a) + co_await Callback<int>([](auto done) { done(1); });
}

}  // namespace

TEST_CASE("tasks suspend and resume") {
  int got = 0;
  spawn<int>(twice(4), [&](int v) { got = v; });
  REQUIRE(got == 9);
  std::function<void(int)> later;
  spawn<int>(
      [](std::function<void(int)>& slot) -> Task<int> {
        co_return 1 + co_await Callback<int>([&slot](auto done) { slot = done; });
      }(later),
      [&](int v) { got = v; });
  REQUIRE(got == 9);
  later(41);
  REQUIRE(got == 42);
}

namespace {

// Counts the frames that are alive.
struct Living {
  explicit Living(int* count) : count_(count) { ++*count_; }
  Living(const Living& other) : Living(other.count_) {}
  ~Living() { --*count_; }
  int* count_;
};
using Slot = std::function<void(int)>;

Task<int> inner(Slot* slot, int* living) {
  const Living frame(living);
  co_return co_await Callback<int>([slot](Slot done) { *slot = std::move(done); });
}
Task<int> outer(Slot* slot, int* living) {
  const Living frame(living);
  const int first = co_await inner(slot, living);
  co_return first + co_await inner(slot, living);
}

}  // namespace

TEST_CASE("a task whose callback is dropped is freed with all that wait for it") {
  int living = 0, told = 0;
  Slot slot;
  const auto start = [&] {
    spawn<int>(outer(&slot, &living), [&told, mark = Living(&living)](int v) { told = v; });
    REQUIRE(living > 2);
  };
  SECTION("before an answer") {
    start();
    Slot copy = slot;
    slot = nullptr;
    CHECK(living > 0);  // somebody may still call the copy
    copy = nullptr;
  }
  SECTION("later on") {
    start();
    Slot(std::move(slot))(1);
    CHECK(living > 0);
    slot = nullptr;
  }
  SECTION("by the one that is asked") {
    spawn<int>(
        [](int* count) -> Task<int> {
          const Living frame(count);
          co_return co_await Callback<int>([](Slot) {});
        }(&living),
        [&](int v) { told = v; });
  }
  CHECK(living == 0);
  CHECK(told == 0);
}

TEST_CASE("a task that was answered is not freed twice when its callback goes") {
  int living = 0, told = 0;
  Slot slot;
  spawn<int>(outer(&slot, &living), [&](int v) { told = v; });
  const Slot first = std::move(slot);
  first(1);
  const Slot second = std::move(slot);
  second(2);
  CHECK(told == 3);
  CHECK(living == 0);
}

TEST_CASE("digests of texts that are nearly the same differ, in both halves") {
  std::set<std::uint64_t> high, low;
  std::set<std::string> texts{"", std::string(1, '\0'), std::string(2, '\0')};
  for (int i = 0; i < 100'000; ++i) {
    texts.insert("default/web-" + std::to_string(i));
    texts.insert(std::to_string(i) + "/web");
  }
  for (const std::string& text : texts) {
    const Digest digest = digest_of(text);
    high.insert(digest.high);
    low.insert(digest.low);
  }
  CHECK(high.size() == texts.size());
  CHECK(low.size() == texts.size());
}

TEST_CASE("a digest is the same on every machine") {
  CHECK(digest_of("").high == 0xcbf29ce484222325u);
  CHECK(digest_of("a").high == 0xaf63dc4c8601ec8cu);  // published test values of FNV-1a
  CHECK(digest_of("foobar").high == 0x85944171f73967e8u);
}
