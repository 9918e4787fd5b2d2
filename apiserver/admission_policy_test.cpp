// ValidatingAdmissionPolicies, through the whole server.
#include <catch2/catch.hpp>

#include "apiserver/testing/api_world.hpp"

namespace coracle::apiserver {
namespace {

constexpr const char* kGroup = "/apis/admissionregistration.k8s.io/v1/";

void policy(ApiWorld& w, const std::string& spec) {
  const auto made =
      w.call("POST", std::string(kGroup) + "validatingadmissionpolicies",
             R"({"kind":"ValidatingAdmissionPolicy","apiVersion":"admissionregistration.k8s.io/v1",
      "metadata":{"name":"p"},"spec":{"matchConstraints":{"resourceRules":[{"apiGroups":[""],
      "apiVersions":["v1"],"operations":["*"],"resources":["configmaps"]}]},)" +
                 spec + "}}");
  INFO(made->body);
  REQUIRE(made->status == 201);
}
void binding(ApiWorld& w, const std::string& more = "",
             const std::string& actions = R"(["Deny"])") {
  const auto made = w.call(
      "POST", std::string(kGroup) + "validatingadmissionpolicybindings",
      R"({"kind":"ValidatingAdmissionPolicyBinding","apiVersion":"admissionregistration.k8s.io/v1",
      "metadata":{"name":"b"},"spec":{"policyName":"p","validationActions":)" +
          actions + more + "}}");
  INFO(made->body);
  REQUIRE(made->status == 201);
  w.settle();
}
std::string answer(const std::shared_ptr<FakeExchange>& exchange) {
  return std::to_string(exchange->status) + " " +
         std::string(get_string(ApiWorld::tree(exchange), "message"));
}
std::string denied(const std::string& why, const std::string& name = "m") {
  return "422 configmaps \"" + name +
         "\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: " + why;
}
std::shared_ptr<FakeExchange> create(ApiWorld& w, const std::string& data = "{}",
                                     const std::string& name = "m") {
  return w.call("POST", kMaps, a_config_map(name, data));
}

}  // namespace

TEST_CASE("policy: denies with a message, a reason and a cause", "[policy]") {
  ApiWorld w;
  policy(w, R"("validations":[{"expression":"!has(object.data) || object.data.size() < 2",
    "message":" too much "}])");
  CHECK(create(w, R"({"a":"1","b":"2"})", "early")->status == 201);  // nothing is bound yet
  binding(w);
  const auto refused = create(w, R"({"a":"1","b":"2"})");
  CHECK(answer(refused) == denied("too much"));
  const json::value status = ApiWorld::tree(refused);
  CHECK(get_string(status, "reason") == "Invalid");
  CHECK(
      to_json(status.at("details").at("causes")) ==
      R"([{"message":"ValidatingAdmissionPolicy 'p' with binding 'b' denied request: too much"}])");
  CHECK(create(w, R"({"a":"1"})")->status == 201);
  const auto patched =
      w.patch("merge-patch+json", std::string(kMaps) + "/m", R"({"data":{"b":"2"}})");
  CHECK(answer(patched) == denied("too much"));
  CHECK(w.call("DELETE", std::string(kMaps) + "/m")->status == 422);
}

TEST_CASE("policy: what expressions see", "[policy]") {
  ApiWorld w;
  policy(w, R"x("variables":[{"name":"size","expression":"object == null ? 0 : object.data.size()"
},
    {"name":"twice","expression":"variables.size * 2"}],
    "matchConditions":[{"name":"not-deletes","expression":"request.operation != 'DELETE'"}],
    "validations":[
     {"expression":"variables.twice < 4","messageExpression":"'twice is ' + string(variables.twice)",
      "reason":"Forbidden"},
     {"expression":"request.userInfo.username == 'admin' && request.namespace == 'a'"},
     {"expression":"namespaceObject.metadata.name == 'a'"},
     {"expression":"oldObject == null || oldObject.data.a == object.data.a"}])x");
  binding(w);
  CHECK(answer(create(w, R"({"a":"1","b":"2"})")) ==
        "403 configmaps \"m\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied "
        "request: twice is 4");
  CHECK(create(w, R"({"a":"1"})")->status == 201);
  const auto changed =
      w.patch("merge-patch+json", std::string(kMaps) + "/m", R"({"data":{"a":"2"}})");
  CHECK(answer(changed) ==
        denied("failed expression: oldObject == null || oldObject.data.a == object.data.a"));
  CHECK(w.call("DELETE", std::string(kMaps) + "/m")->status == 200);
}

TEST_CASE("policy: failure policy", "[policy]") {
  ApiWorld w;
  const std::string rule = R"("validations":[{"expression":"object.data.x == '1'"}])";
  SECTION("fail") {
    policy(w, rule);
    binding(w);
    CHECK(answer(create(w, R"({"a":"1"})")) ==
          denied("expression 'object.data.x == '1'' resulted in error: no such key: x"));
  }
  SECTION("ignore") {
    policy(w, R"("failurePolicy":"Ignore",)" + rule);
    binding(w);
    CHECK(create(w, R"({"a":"1"})")->status == 201);
    CHECK(create(w, R"({"x":"2"})", "n")->status == 422);
  }
}

TEST_CASE("policy: params", "[policy]") {
  ApiWorld w;
  policy(w, R"x("paramKind":{"apiVersion":"v1","kind":"Secret"},"validations":[
    {"expression":"object.metadata.name != string(params.metadata.name)"
}])x");
  binding(w, R"(,"paramRef":{"name":"limit","parameterNotFoundAction":"Deny"})");
  CHECK(answer(create(w)) == denied("failed to configure binding: no params found for policy "
                                    "binding with `Deny` parameterNotFoundAction"));
  CHECK(w.call("POST", "/api/v1/namespaces/a/secrets",
               R"({"kind":"Secret","apiVersion":"v1","metadata":{"name":"limit"}})")
            ->status == 201);
  w.settle();
  CHECK(create(w)->status == 201);
  CHECK(create(w, "{}", "limit")->status == 422);
}

TEST_CASE("policy: warnings, selectors and exclusions", "[policy]") {
  ApiWorld w;
  policy(w, R"("validations":[{"expression":"false","message":"never"}])");
  binding(w,
          R"(,"matchResources":{"namespaceSelector":{"matchLabels":
          {"kubernetes.io/metadata.name":"a"}},"excludeResourceRules":[{"apiGroups":[""],
          "apiVersions":["v1"],"operations":["CREATE"],"resources":["configmaps"],
          "resourceNames":["free"]}]})",
          R"(["Warn"])");
  const auto warned = create(w);
  CHECK(warned->status == 201);
  CHECK(warned->headers.get("Warning") ==
        "299 - \"Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': never\"");
  CHECK_FALSE(create(w, "{}", "free")->headers.has("Warning"));
  w.make_namespace("other");
  CHECK_FALSE(w.call("POST", "/api/v1/namespaces/other/configmaps", a_config_map("m"))
                  ->headers.has("Warning"));
}

TEST_CASE("policy: expressions that do not compile are refused with the policy", "[policy]") {
  ApiWorld w;
  const auto bad =
      w.call("POST", std::string(kGroup) + "validatingadmissionpolicies",
             R"({"kind":"ValidatingAdmissionPolicy","apiVersion":"admissionregistration.k8s.io/v1",
      "metadata":{"name":"p"},"spec":{"matchConstraints":{},"validations":[
      {"expression":"object.x <"},{"expression":"1 + 1"},{"expression":"variables.y"}]}})");
  CHECK(bad->status == 422);
  const json::value status = ApiWorld::tree(bad);
  std::vector<std::string> fields;
  for (const json::value& cause : get_array(status, "details.causes")) {
    fields.emplace_back(get_string(cause, "field"));
  }
  CHECK(fields == std::vector<std::string>{
                      "spec.matchConstraints.resourceRules", "spec.validations[0].expression",
                      "spec.validations[1].expression", "spec.validations[2].expression"});
  CHECK(get_string(status, "message").find("must evaluate to bool but got int") !=
        std::string::npos);
  CHECK(get_string(status, "message").find("undeclared reference to 'variables'") !=
        std::string::npos);
}

TEST_CASE("policy: expressions ask what their user may do", "[policy]") {
  ApiWorld w;
  const std::string secrets = "group('').resource('secrets').namespace('a').check('get')";
  policy(w, R"x("validations":[{"expression":"authorizer.)x" + secrets + R"x(.allowed()"},
    {"expression":"authorizer.path('/healthz').check('get').allowed()"},
    {"expression":"authorizer.requestResource.check('delete').allowed()"},
    {"expression":"!authorizer.serviceAccount('a','default').)x" +
                secrets + R"x(.allowed()"},
    {"expression":"authorizer.path('/x').check('get').errored()","message":"nothing failed"}])x");
  binding(w);
  CHECK(answer(create(w)) == denied("nothing failed"));
}

TEST_CASE("policy: what cannot be configured denies, even where bindings only warn", "[policy]") {
  ApiWorld w;
  policy(w, R"x("paramKind":{"apiVersion":"v1","kind":"Secret"},"validations":[
    {"expression":"true"}])x");
  binding(w, R"(,"paramRef":{"name":"limit","parameterNotFoundAction":"Deny"})", R"(["Warn"])");
  CHECK(answer(create(w)) == denied("failed to configure binding: no params found for policy "
                                    "binding with `Deny` parameterNotFoundAction"));
}

}  // namespace coracle::apiserver
