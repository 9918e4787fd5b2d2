#include "api/object.hpp"

#include <catch2/catch.hpp>

#include "api/quantity.hpp"

namespace coracle::api {
namespace {

TEST_CASE("names are checked with upstream's messages") {
  using Check = Messages (*)(std::string_view);
  struct Case {
    const char* name;
    Check check;
    std::string text;
    Messages want;
  };
  const std::string label_regex =
      "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
      "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex "
      "used "
      "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
  const std::string subdomain_regex =
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
      "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
      "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
  const std::string key_regex =
      "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end "
      "with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
      "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
  const Case cases[] = {
      {"good label", check_dns1123_label, "web-1", {}},
      {"upper case", check_dns1123_label, "Web", {label_regex}},
      {"empty", check_dns1123_label, "", {label_regex}},
      {"dots", check_dns1123_label, "a.b", {"must not contain dots"}},
      {"long", check_dns1123_label, std::string(64, 'a'), {"must be no more than 63 characters"}},
      {"good subdomain", check_dns1123_subdomain, "a.b-c.d0", {}},
      {"empty part", check_dns1123_subdomain, "a..b", {subdomain_regex}},
      {"leading digit",
       check_dns1035_label,
       "1a",
       {"a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
        "alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or "
        "'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"}},
      {"good key", check_qualified_name, "example.com/My_Name.1", {}},
      {"blank key", check_qualified_name, "a b", {key_regex}},
      {"empty key", check_qualified_name, "", {"name part must be non-empty", key_regex}},
      {"empty prefix", check_qualified_name, "/a", {"prefix part must be non-empty"}},
      {"empty value", check_label_value, "", {}},
      {"long value", check_label_value, std::string(64, 'a'), {"must be no more than 63 bytes"}},
      {"port", check_port_name, "a--b", {"must not contain consecutive hyphens"}},
      {"config key", check_config_map_key, "..a", {"must not start with '..'"}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK(c.check(c.text) == c.want);
  }
}

TEST_CASE("accessors answer empty on anything that is not there") {
  for (const char* text :
       {"null", "[]", "{}", R"({"metadata":1})", R"({"metadata":{"labels":1}})"}) {
    const json::value v = parse_json(text).value();
    CHECK(name_of(v).empty());
    CHECK(labels_of(v).empty());
    CHECK(controller_of(v) == nullptr);
    CHECK(generation_of(v) == 0);
  }
}

TEST_CASE("finalizers and owners") {
  json::value o = parse_json(R"({"apiVersion":"apps/v1","kind":"ReplicaSet",
      "metadata":{"name":"r","uid":"u1"}})")
                      .value();
  CHECK(add_finalizer(o, "a/b"));
  CHECK_FALSE(add_finalizer(o, "a/b"));
  CHECK(remove_finalizer(o, "a/b"));
  CHECK(find(o, "metadata.finalizers") == nullptr);
  json::value pod = parse_json(R"({"metadata":{}})").value();
  json::array refs;
  refs.push_back(controller_reference(o));
  metadata_of(pod)["ownerReferences"] = refs;
  REQUIRE(controller_of(pod) != nullptr);
  CHECK(to_json(*controller_of(pod)) ==
        R"({"apiVersion":"apps/v1","kind":"ReplicaSet","name":"r","uid":"u1",)"
        R"("controller":true,"blockOwnerDeletion":true})");
  CHECK(is_owned_by(pod, "u1"));
  CHECK(split_api_version("apps/v1").group == "apps");
  CHECK(split_api_version("v1").group.empty());
  CHECK(split_api_version("a/b/c").version.empty());
}

TEST_CASE("quantities become canonical") {
  struct Case {
    const char* text;
    const char* canonical;
    std::int64_t value, milli;
  };
  const Case cases[] = {
      {"0", "0", 0, 0},
      {"100m", "100m", 1, 100},
      {"0.5", "500m", 1, 500},
      {"1000m", "1", 1, 1000},
      {"1Gi", "1Gi", 1 << 30, (1LL << 30) * 1000},
      {"1024Mi", "1Gi", 1 << 30, (1LL << 30) * 1000},
      {"0.5Gi", "512Mi", 1 << 29, (1LL << 29) * 1000},
      {"1.5Gi", "1536Mi", 1610612736, 1610612736000},
      {"512", "512", 512, 512000},
      {"1e3", "1e3", 1000, 1000000},
      {"1E", "1E", 1000000000000000000, INT64_MAX},
      {"12e6", "12e6", 12000000, 12000000000},
      {"1k", "1k", 1000, 1000000},
      {"1000Ki", "1000Ki", 1024000, 1024000000},
      {"100Ki", "100Ki", 102400, 102400000},
      {"1n", "1n", 1, 1},
      {"0.1n", "1n", 1, 1},
      {"-1500m", "-1500m", -2, -1500},
      {"+3", "3", 3, 3000},
      {"9Ei", "9223372036854775807", INT64_MAX, INT64_MAX},
      {".5", "500m", 1, 500},
      {"5.", "5", 5, 5000},
      {"000123", "123", 123, 123000},
      {"0.5Ki", "512", 512, 512000},
      {"1Ki", "1Ki", 1024, 1024000},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const Result<Quantity> q = Quantity::parse(c.text);
    REQUIRE(q.ok());
    CHECK(q->text() == c.canonical);
    CHECK(q->value() == c.value);
    CHECK(q->milli_value() == c.milli);
    const Result<Quantity> again = Quantity::parse(q->text());
    REQUIRE(again.ok());
    CHECK(*again == *q);
  }
  for (const char* bad : {"", "x", "1.1.1", "1 Gi", "1Gb", "--1", "1e", "Mi", "1mm", ".", "1-"}) {
    CAPTURE(bad);
    CHECK_FALSE(Quantity::parse(bad).ok());
  }
}

TEST_CASE("quantities add, subtract and compare exactly") {
  Quantity sum = *Quantity::parse("100m");
  for (int i = 0; i < 9; ++i) sum.add(*Quantity::parse("0.1"));
  CHECK(sum == Quantity::from_units(1));
  sum.sub(*Quantity::parse("1500m"));
  CHECK(sum.text() == "-500m");
  CHECK(sum < Quantity());
  Quantity zero;
  zero.add(*Quantity::parse("1Mi"));
  CHECK(zero.text() == "1Mi");
}

}  // namespace
}  // namespace coracle::api
