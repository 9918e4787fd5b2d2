#include "text/gotemplate.hpp"

#include <catch2/catch.hpp>

namespace coracle::text {
namespace {

const char* kData = R"({
  "metadata": {"name": "web", "annotations": {"example.com/owner": "kit"}},
  "spec": {"replicas": 3, "big": 1234567, "paused": false, "ports": [80, 443]},
  "data": {"b": "Mg==", "a": "MQ=="},
  "items": [{"n": "x", "p": "Running"}, {"n": "y", "p": "Pending"}]
})";

TEST_CASE("templates print as Go's") {
  struct Case {
    std::string text, out;
  };
  const auto c = GENERATE(values<Case>({
      {"plain", "plain"},
      {"{{.metadata.name}}", "web"},
      {"{{.metadata.nosuch}}", "<no value>"},
      {"{{.metadata.nosuch.deeper.still}}", "<no value>"},
      {R"({{index .metadata.annotations "example.com/owner"}})", "kit"},
      {R"({{.metadata.name}}{{"\n"}})", "web\n"},
      {"{{.spec.replicas}} {{.spec.big}}", "3 1.234567e+06"},
      {"{{range .items}}{{.n}} {{end}}", "x y "},
      {"{{range $i, $e := .items}}{{$i}}={{$e.n}},{{end}}", "0=x,1=y,"},
      {"{{range $k, $v := .data}}{{$k}}:{{$v | base64decode}};{{end}}", "a:1;b:2;"},
      {"{{range .nosuch}}x{{else}}none{{end}}", "none"},
      {"{{range .items}}{{if eq .n \"y\"}}{{break}}{{end}}{{.n}}{{end}}", "x"},
      {"{{range .items}}{{if eq .n \"x\"}}{{continue}}{{end}}{{.n}}{{end}}", "y"},
      {R"({{if eq .metadata.name "web"}}yes{{else}}no{{end}})", "yes"},
      {R"({{if .spec.paused}}a{{else if gt .spec.replicas 2}}b{{else}}c{{end}})", "b"},
      {"{{if and .metadata (not .spec.paused)}}ok{{end}}", "ok"},
      {"{{with .metadata}}{{.name}}{{end}}", "web"},
      {"{{with .nosuch}}x{{else}}y{{end}}", "y"},
      {"{{$x := 1}}{{$x = 2}}{{$x}}", "2"},
      {"{{range .items}}{{$.metadata.name}}{{end}}", "webweb"},
      {R"({{printf "%-5s|%d|%q" .metadata.name .spec.replicas "a"}})", "web  |3|\"a\""},
      {"{{len .items}} {{index .spec.ports 1}}", "2 443"},
      {"{{(index .items 0).p}}", "Running"},
      {"a {{- .metadata.name -}} b", "awebb"},
      {"{{/* nothing */}}x", "x"},
      {"{{.spec.ports}} {{.data}}", "[80 443] map[a:MQ== b:Mg==]"},
      {"{{or .nosuch \"default\"}}", "default"},
      {"{{println 1 2}}", "1 2\n"},
  }));
  CAPTURE(c.text);
  const auto data = parse_json(kData);
  REQUIRE(data.ok());
  const auto parsed = GoTemplate::parse(c.text);
  REQUIRE(parsed.ok());
  const auto printed = parsed->run(*data);
  REQUIRE(printed.ok());
  CHECK(*printed == c.out);
}

TEST_CASE("what is missing can be an error; a field of a null always is") {
  const auto data = parse_json(R"({"a":{},"n":null})");
  struct Case {
    std::string text;
    bool missing_keys;
    std::string error;
  };
  const auto c = GENERATE(values<Case>({
      {"{{.a.b}}", false, "map has no entry for key \"b\""},
      {"{{.n.b}}", true, "nil pointer evaluating interface {}.b"},
  }));
  CAPTURE(c.text);
  const auto printed = GoTemplate::parse(c.text)->run(*data, c.missing_keys);
  CHECK(printed.status().message().find(c.error) != std::string::npos);
}

TEST_CASE("bad templates fail when they are parsed") {
  const auto text = GENERATE(as<std::string>(), "{{", "{{.a", "{{nosuch}}", "{{if .a}}", "{{end}}",
                             "{{range}}x{{end}}", "{{\"open}}", "{{.a | }}", "{{(.a}}");
  CAPTURE(text);
  CHECK(GoTemplate::parse(text).status().code() == Code::kInvalidArgument);
}

TEST_CASE("templates that cannot be run say why") {
  const auto data = parse_json(kData);
  REQUIRE(data.ok());
  const auto text = GENERATE(as<std::string>(), "{{index .items 7}}", "{{.metadata.name.x}}",
                             "{{range .metadata.name}}x{{end}}");
  CAPTURE(text);
  const auto parsed = GoTemplate::parse(text);
  REQUIRE(parsed.ok());
  CHECK(parsed->run(*data).status().code() == Code::kInvalidArgument);
}

}  // namespace
}  // namespace coracle::text
