#include <catch2/catch.hpp>

#include "api/policy/expressions.hpp"
#include "api/policy/validation.hpp"

namespace coracle::api::policy {
namespace {

json::value object_of(const std::string& text) {
  auto parsed = parse_json(text);
  INFO(text);
  REQUIRE(parsed.ok());
  return *parsed;
}

std::vector<std::string> problems(void (*check)(const json::value&, const json::value*,
                                                FieldErrors&),
                                  const std::string& text) {
  FieldErrors errors;
  check(object_of(text), nullptr, errors);
  std::vector<std::string> out;
  for (const FieldError& error : errors.list()) out.push_back(error.text());
  return out;
}

// A policy with these members of its spec, and matchConstraints that are good.
std::string spec(const std::string& more) {
  return R"({"metadata":{"name":"p"},"spec":{"failurePolicy":"Fail","matchConstraints":{
      "matchPolicy":"Equivalent","namespaceSelector":{},"objectSelector":{},"resourceRules":[{
      "apiGroups":[""],"apiVersions":["v1"],"operations":["CREATE"],"resources":["pods"]}]},)" +
         more + "}}";
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("policy: what must be there") {
  CHECK(problems(admission_policy, R"({"metadata":{"name":"p"},"spec":{"failurePolicy":"Maybe",
      "paramKind":{"apiVersion":"a/b/c","kind":"A.b"}}})") ==
        Texts{R"(spec.failurePolicy: Unsupported value: "Maybe": supported values: "Fail", )"
              R"("Ignore")",
              R"(spec.paramKind.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion )"
              "string: a/b/c",
              R"(spec.paramKind.kind: Invalid value: "A.b": may have mixed case, but should )"
              "otherwise match: a DNS-1035 label must consist of lower case alphanumeric "
              "characters or '-', start with an alphabetic character, and end with an alphanumeric "
              "character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
              "'[a-z]([-a-z0-9]*[a-z0-9])?')",
              "spec.matchConstraints: Required value",
              "spec.validations: Required value: validations or auditAnnotations must contain at "
              "least one item",
              "spec.auditAnnotations: Required value: validations or auditAnnotations must contain "
              "at least one item"});
  CHECK(problems(admission_policy, R"({"metadata":{"name":"p"},"spec":{"failurePolicy":"Fail",
      "matchConstraints":{"matchPolicy":"Exact","namespaceSelector":{},"objectSelector":{},
      "excludeResourceRules":[{"operations":["RUN"],"apiGroups":["*","a"],"apiVersions":[],
      "resources":[""],"resourceNames":["a","a"]}]},"validations":[{"expression":"true"}]}})") ==
        Texts{R"(spec.matchConstraints.excludeResourceRules[0].resourceNames[1]: Duplicate )"
              R"(value: "a")",
              R"(spec.matchConstraints.excludeResourceRules[0].operations[0]: Unsupported value: )"
              R"("RUN": supported values: "*", "CONNECT", "CREATE", "DELETE", "UPDATE")",
              R"(spec.matchConstraints.excludeResourceRules[0].apiGroups: Invalid value: )"
              R"(["*","a"]: if '*' is present, must not specify other API groups)",
              "spec.matchConstraints.excludeResourceRules[0].apiVersions: Required value",
              "spec.matchConstraints.excludeResourceRules[0].resources[0]: Required value",
              "spec.matchConstraints.resourceRules: Required value"});
}

TEST_CASE("policy: expressions") {
  CHECK(problems(admission_policy, spec(R"x("variables":[{"name":"n","expression":"1 + 1"},
      {"name":"if","expression":"variables.n + variables.later"},{"name":"later","expression":" "}],
      "matchConditions":[{"name":"m","expression":"variables.n == 2"},
      {"name":"m","expression":"authorizer.path('/x').check('get').allowed()"}],
      "validations":[{"expression":"object.spec.flag","reason":"Nope","message":"a\nb"},
      {"expression":"variables.n == 2","messageExpression":"authorizer.path('/x')"},
      {"expression":"params.x == 1","messageExpression":"'n: ' + string(variables.n)"},
      {"expression":" "}],
      "auditAnnotations":[{"key":"a","valueExpression":"1"},{"key":"a","valueExpression":"null"}]
      )x")) ==
        Texts{"spec.matchConditions[0].expression: Invalid value: \"variables.n == 2\": "
              "compilation failed: ERROR: <input>:1:1: undeclared reference to 'variables' (in "
              "container '')\n | variables.n == 2\n | ^",
              "spec.matchConditions[1].name: Duplicate value: \"m\"",
              R"(spec.variables[1].name: Invalid value: "if": name is not a valid CEL identifier)",
              "spec.variables[1].expression: Invalid value: \"variables.n + variables.later\": "
              "compilation failed: ERROR: <input>:1:24: undefined field 'later'\n | variables.n + "
              "variables.later\n | .......................^",
              "spec.variables[2].expression: Required value: expression is not specified",
              R"(spec.validations[0].expression: Invalid value: "object.spec.flag": must evaluate )"
              "to bool but got dyn",
              R"(spec.validations[0].message: Invalid value: "a\nb": message must not contain )"
              "line breaks",
              R"(spec.validations[0].reason: Unsupported value: "Nope": supported values: )"
              R"("Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized")",
              "spec.validations[1].messageExpression: Invalid value: \"authorizer.path('/x')\": "
              "compilation failed: ERROR: <input>:1:1: undeclared reference to 'authorizer' (in "
              "container '')\n | authorizer.path('/x')\n | ^",
              "spec.validations[2].expression: Invalid value: \"params.x == 1\": compilation "
              "failed: ERROR: <input>:1:1: undeclared reference to 'params' (in container '')\n | "
              "params.x == 1\n | ^",
              "spec.validations[3].expression: Required value: expression is not specified",
              "spec.auditAnnotations[0].valueExpression: Invalid value: \"1\": must evaluate to "
              "one of [string null_type] but got int",
              R"(spec.auditAnnotations[1].key: Duplicate value: "a")"});
}

TEST_CASE("policy: bindings") {
  CHECK(problems(admission_policy_binding, R"({"spec":{"paramRef":{"name":"a/b","selector":{}},
      "validationActions":["Deny","Warn","Deny","Log"]}})") ==
        Texts{"spec.policyName: Required value",
              R"(spec.paramRef.name: Invalid value: "a/b": may not contain '/')",
              "spec.paramRef.name: Forbidden: name and selector are mutually exclusive",
              "spec.paramRef.selector: Forbidden: name and selector are mutually exclusive",
              "spec.paramRef.parameterNotFoundAction: Required value",
              R"(spec.validationActions[2]: Duplicate value: "Deny")",
              R"(spec.validationActions[3]: Unsupported value: "Log": supported values: "Audit", )"
              R"("Deny", "Warn")",
              R"(spec.validationActions: Invalid value: ["Deny","Warn","Deny","Log"]: must not )"
              "contain both Deny and Warn (repeating the same validation failure information in "
              "the API response and headers serves no purpose)"});
  CHECK(problems(admission_policy_binding,
                 R"({"spec":{"policyName":"p","paramRef":{"parameterNotFoundAction":"Ask"}}})") ==
        Texts{"spec.paramRef: Required value: one of name or selector must be specified",
              R"(spec.paramRef.parameterNotFoundAction: Unsupported value: "Ask": supported )"
              R"(values: "Deny", "Allow")",
              "spec.validationActions: Required value: at least one validation action is "
              "required"});
}

}  // namespace coracle::api::policy
