#include "api/selectors.hpp"

#include <catch2/catch.hpp>
#include <set>

#include "base/rng.hpp"

namespace coracle::api {
namespace {

json::object labels(std::string_view text) { return parse_json(text).value().as_object(); }

TEST_CASE("label selectors parse, print and match") {
  const json::object web = labels(R"({"app":"web","tier":"front","n":"5"})");
  struct Case {
    const char* text;
    const char* canonical;
    bool matches;
  };
  const Case cases[] = {
      {"", "", true},
      {"app=web", "app=web", true},
      {"app == web", "app=web", true},
      {"app!=web", "app!=web", false},
      {"zone!=a", "zone!=a", true},
      {"tier in (back, front),app", "app,tier in (back,front)", true},
      {"tier notin (front)", "tier notin (front)", false},
      {"!zone", "!zone", true},
      {"!app", "!app", false},
      {"n>4", "n>4", true},
      {"n<5", "n<5", false},
      {"app in ()", "app in ()", false},
      {"app in (,web)", "app in (,web)", true},
      {"in in (in)", "in in (in)", false},
      {"app=", "app=", false},
      {"zone=a,app=web", "app=web,zone=a", false},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const Result<LabelSelector> s = LabelSelector::parse(c.text);
    REQUIRE(s.ok());
    CHECK(s->text() == c.canonical);
    CHECK(s->matches(web) == c.matches);
  }
}

TEST_CASE("bad label selectors fail with upstream's texts") {
  const std::pair<const char*, const char*> cases[] = {
      {"a=b c", "found 'c', expected: ',' or 'end of string'"},
      {"=b", "found '=', expected: !, identifier, or 'end of string'"},
      {"a,", "found '', expected: identifier after ','"},
      {"a in b", "unable to parse requirement: found 'b' expected: '('"},
      {"a ! b", "unable to parse requirement: found '!', expected: in, notin, =, ==, !=, gt, lt"},
      {"a>x",
       "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, "
       "the "
       "value must be an integer"},
      {"/a=b",
       "unable to parse requirement: <nil>: Invalid value: \"/a\": prefix part must be non-empty"},
  };
  for (const auto& [text, want] : cases) {
    CAPTURE(text);
    const Result<LabelSelector> s = LabelSelector::parse(text);
    REQUIRE_FALSE(s.ok());
    CHECK(s.status().message() == want);
  }
}

TEST_CASE("LabelSelector objects: null matches nothing, empty everything") {
  const json::object any = labels(R"({"app":"web"})");
  CHECK_FALSE(LabelSelector::from_object(nullptr)->matches(any));
  const json::value empty = parse_json("{}").value();
  CHECK(LabelSelector::from_object(&empty)->matches(any));
  CHECK(format_label_selector(&empty) == "<none>");
  const json::value full = parse_json(R"({"matchLabels":{"app":"web"},"matchExpressions":[
      {"key":"tier","operator":"In","values":["b","a"]},{"key":"x","operator":"DoesNotExist"}]})")
                               .value();
  CHECK(format_label_selector(&full) == "app=web,tier in (a,b),!x");
  CHECK_FALSE(LabelSelector::from_object(&full)->matches(any));
  CHECK(LabelSelector::from_object(&full)->matches(labels(R"({"app":"web","tier":"a"})")));
  const json::value bad =
      parse_json(R"({"matchExpressions":[{"key":"a","operator":"Is"}]})").value();
  CHECK(LabelSelector::from_object(&bad).status().message() ==
        "\"Is\" is not a valid label selector operator");
}

// The twin: one requirement by its definition, over sets.
bool naive(const LabelRequirement& r, const json::object& o) {
  const json::value* found = find_member(o, r.key);
  const std::set<std::string> values(r.values.begin(), r.values.end());
  const bool in = found != nullptr && values.count(std::string(found->as_string())) == 1;
  switch (r.op) {
    case LabelOp::kEquals:
    case LabelOp::kIn:
      return in;
    case LabelOp::kNotEquals:
    case LabelOp::kNotIn:
      return !in;
    case LabelOp::kExists:
      return found != nullptr;
    case LabelOp::kNotExists:
      return found == nullptr;
    default:
      return false;
  }
}

TEST_CASE("random selectors agree with the naive twin and survive printing") {
  const std::uint64_t seed = 20261121;
  CAPTURE(seed);
  Rng rng(seed);
  const std::vector<std::string> words = {"a", "b", "c"};
  const auto word = [&] { return words[rng.below(words.size())]; };
  for (int round = 0; round < 3000; ++round) {
    std::vector<LabelRequirement> list;
    for (std::uint64_t n = rng.below(4); n > 0; --n) {
      LabelRequirement r{word(), static_cast<LabelOp>(rng.below(6)), {}};
      const bool set = r.op == LabelOp::kIn || r.op == LabelOp::kNotIn;
      if (r.op < LabelOp::kExists) r.values.push_back(word());
      if (set) r.values.push_back(word());
      list.push_back(std::move(r));
    }
    json::object o;
    for (const std::string& key : words) {
      if (rng.below(2) == 0) o[key] = word();
    }
    bool want = true;
    for (const LabelRequirement& r : list) want = want && naive(r, o);
    const LabelSelector selector = LabelSelector::from_requirements(list);
    CHECK(selector.matches(o) == want);
    const Result<LabelSelector> again = LabelSelector::parse(selector.text());
    REQUIRE(again.ok());
    CHECK(again->text() == selector.text());
    CHECK(again->matches(o) == want);
  }
}

TEST_CASE("field selectors") {
  const json::value pod =
      parse_json(R"({"metadata":{"name":"p","namespace":"d"},"spec":{"nodeName":"n1"}})").value();
  struct Case {
    const char* text;
    bool matches;
  };
  const Case cases[] = {{"", true},
                        {"metadata.name=p", true},
                        {"metadata.name==p,spec.nodeName!=n2", true},
                        {"spec.nodeName=", false},
                        {"status.phase!=Succeeded,status.phase!=Failed", true},
                        {"spec.unschedulable=false", true}};
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const Result<FieldSelector> s = FieldSelector::parse(c.text);
    REQUIRE(s.ok());
    CHECK(s->matches_object(pod) == c.matches);
  }
  CHECK(FieldSelector::parse("a=x\\,y\\=z")->exact("a") == "x,y=z");
  CHECK(FieldSelector::parse("a=x\\,y")->text() == "a=x\\,y");
  CHECK(FieldSelector::parse("a=b,foo").status().message() ==
        "invalid selector: 'a=b,foo'; can't understand 'foo'");
  CHECK_FALSE(FieldSelector::parse("a=\\x").ok());
}

}  // namespace
}  // namespace coracle::api
