#include "api/field_error.hpp"

#include <catch2/catch.hpp>

#include "api/status_object.hpp"

namespace coracle::api {
namespace {

json::value parsed(std::string_view text) { return parse_json(text).value(); }

TEST_CASE("field errors are worded as upstream words them") {
  const FieldPath spec("spec");
  FieldErrors e;
  e.invalid(spec.child("replicas"), -1, "must be greater than or equal to 0");
  e.required(spec.child("containers"));
  e.required(spec.child("selector"), "may not be empty");
  e.not_supported(spec.child("type"), "x", {"a", "b"});
  e.duplicate(spec.child("containers").index(1).child("name"), "c");
  e.duplicate(spec.child("ports").index(1), parsed(R"({"name":"x"})"));
  e.forbidden(FieldPath("metadata").child("labels").key("app"), "no");
  e.too_long(spec.child("a"), 1);
  e.too_many(spec.child("b"), 3, 2);
  e.not_found(spec.child("c"), true);
  e.invalid(spec.child("d"), "say \"hi\"", "bad");
  e.internal(spec, "boom");
  const std::vector<std::string> want = {
      "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
      "spec.containers: Required value",
      "spec.selector: Required value: may not be empty",
      "spec.type: Unsupported value: \"x\": supported values: \"a\", \"b\"",
      "spec.containers[1].name: Duplicate value: \"c\"",
      "spec.ports[1]: Duplicate value: {\"name\":\"x\"}",
      "metadata.labels[app]: Forbidden: no",
      "spec.a: Too long: may not be more than 1 byte",
      "spec.b: Too many: 3: must have at most 2 items",
      "spec.c: Not found: true",
      "spec.d: Invalid value: \"say \\\"hi\\\"\": bad",
      "spec: Internal error: boom"};
  REQUIRE(e.size() == want.size());
  for (std::size_t i = 0; i < want.size(); ++i) CHECK(e.list()[i].text() == want[i]);
}

TEST_CASE("an aggregate drops repeated texts and brackets several") {
  FieldErrors e;
  e.required(FieldPath("a"));
  e.required(FieldPath("a"));
  CHECK(e.text() == "a: Required value");
  e.required(FieldPath("b"));
  CHECK(e.text() == "[a: Required value, b: Required value]");
}

TEST_CASE("Status objects have upstream's text, code, reason and details") {
  const GroupName deployments{"apps", "deployments"};
  FieldErrors errors;
  errors.required(FieldPath("spec.selector"));
  struct Case {
    const char* name;
    ApiError error;
    const char* json;
  };
  const Case cases[] = {
      {"not found", not_found_error({"", "pods"}, "x"),
       R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",)"
       R"("message":"pods \"x\" not found","reason":"NotFound","details":{"name":"x",)"
       R"("kind":"pods"},"code":404})"},
      {"exists", already_exists_error(deployments, "x"),
       R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",)"
       R"("message":"deployments.apps \"x\" already exists","reason":"AlreadyExists",)"
       R"("details":{"name":"x","group":"apps","kind":"deployments"},"code":409})"},
      {"invalid", invalid_error({"apps", "Deployment"}, "x", errors),
       R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",)"
       R"("message":"Deployment.apps \"x\" is invalid: spec.selector: Required value",)"
       R"("reason":"Invalid","details":{"name":"x","group":"apps","kind":"Deployment",)"
       R"("causes":[{"reason":"FieldValueRequired","message":"Required value",)"
       R"("field":"spec.selector"}]},"code":422})"},
      {"too large version", resource_version_too_large_error(9, 5),
       R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",)"
       R"("message":"Timeout: Too large resource version: 9, current: 5",)"
       R"("reason":"Timeout","details":{"retryAfterSeconds":1,)"
       R"("causes":[{"reason":"ResourceVersionTooLarge",)"
       R"("message":"Too large resource version"}]},"code":504})"},
      {"forbidden", forbidden_error({"", "pods"}, "", "User \"u\" cannot list"),
       R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",)"
       R"("message":"pods is forbidden: User \"u\" cannot list","reason":"Forbidden",)"
       R"("details":{"kind":"pods"},"code":403})"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK(to_json(c.error.status) == c.json);
  }
  CHECK(conflict_error(deployments, "x", kStaleObject).message() ==
        "Operation cannot be fulfilled on deployments.apps \"x\": the object has been modified; "
        "please apply your changes to the latest version and try again");
  CHECK(resource_version_too_large_error(9, 5).retry_after_seconds() == 1);
}

}  // namespace
}  // namespace coracle::api
