#include "api/policy/validation.hpp"

#include <algorithm>
#include <set>
#include <string>

#include "api/object.hpp"
#include "api/policy/expressions.hpp"
#include "api/validate.hpp"
#include "api/validation/checks.hpp"
#include "api/validation/webhook.hpp"
#include "base/strings.hpp"

namespace coracle::api::policy {
namespace {

using checks::child_or_empty;
using checks::member;
using checks::text_of;

bool is_blank(std::string_view text) { return trim(text).empty(); }

void expression(const json::value& policy, std::string_view text, Place place,
                const FieldPath& path, FieldErrors& errors, std::size_t variables = kAllVariables) {
  const std::string problem =
      expression_problem(text, policy_environment(policy, place, {}, variables), place);
  if (!problem.empty()) errors.invalid(path, text, problem);
}

void param_kind(const json::value& kind, const FieldPath& path, FieldErrors& errors) {
  const std::string_view version = text_of(kind, "apiVersion");
  if (checks::required_text(kind, "apiVersion", path, errors)) {
    const FieldPath at = path.child("apiVersion");
    const auto slashes = std::ranges::count(version, '/');
    const std::size_t slash = version.find('/');
    const std::string_view group = slashes == 1 ? version.substr(0, slash) : std::string_view();
    const std::string_view rest = slashes == 1 ? version.substr(slash + 1) : version;
    if (slashes > 1) {
      errors.invalid(at, version, "unexpected GroupVersion string: " + std::string(version));
    } else {
      const Messages bad_group = group.empty() ? Messages{} : check_dns1123_subdomain(group);
      if (!bad_group.empty()) errors.invalid(at, group, join(bad_group, ","));
      if (rest.empty()) {
        errors.invalid(at, version, "version must be specified");
      } else if (const Messages bad = check_dns1035_label(rest); !bad.empty()) {
        errors.invalid(at, rest, join(bad, ","));
      }
    }
  }
  if (checks::required_text(kind, "kind", path, errors)) {
    const Messages bad = check_dns1035_label(to_lower(text_of(kind, "kind")));
    if (!bad.empty()) {
      errors.invalid(path.child("kind"), text_of(kind, "kind"),
                     "may have mixed case, but should otherwise match: " + join(bad, ","));
    }
  }
}

void named_rule(const json::value& rule, const FieldPath& path, FieldErrors& errors) {
  std::set<std::string, std::less<>> seen;
  std::size_t index = 0;
  for (const json::value& name : get_array(rule, "resourceNames")) {
    const FieldPath at = path.child("resourceNames").index(index++);
    if (!name.is_string()) continue;
    errors.invalid_each(at, name, check_path_segment_name(name.get_string()));
    if (!seen.emplace(std::string_view(name.get_string())).second) errors.duplicate(at, name);
  }
  validation::operations_rule(rule, path, errors);
}

void match_resources(const json::value& match, const FieldPath& path, FieldErrors& errors) {
  checks::one_of(match, "matchPolicy", path, {"Equivalent", "Exact"}, errors);
  for (const std::string_view key : {"namespaceSelector", "objectSelector"}) {
    const json::value* selector = member(match, key);
    if (selector == nullptr) {
      errors.required(path.child(key));
    } else {
      validate_label_selector(selector, path.child(key), errors);
    }
  }
  for (const std::string_view list : {"resourceRules", "excludeResourceRules"}) {
    std::size_t index = 0;
    for (const json::value& rule : get_array(match, list)) {
      named_rule(rule, path.child(list).index(index++), errors);
    }
  }
}

void match_conditions(const json::value& policy, const FieldPath& path, FieldErrors& errors) {
  constexpr int kMax = 64;
  const json::array& list = get_array(policy, "spec.matchConditions");
  if (list.size() > kMax) errors.too_many(path, static_cast<int>(list.size()), kMax);
  std::set<std::string, std::less<>> seen;
  std::size_t index = 0;
  for (const json::value& condition : list) {
    const FieldPath at = path.index(index++);
    const std::string_view text = trim(text_of(condition, "expression"));
    if (text.empty()) {
      errors.required(at.child("expression"));
    } else {
      expression(policy, text, Place::kMatchCondition, at.child("expression"), errors);
    }
    const std::string_view name = text_of(condition, "name");
    if (!checks::required_text(condition, "name", at, errors)) continue;
    checks::label_name(name, at.child("name"), errors);
    if (!seen.emplace(name).second) errors.duplicate(at.child("name"), name);
  }
}

bool is_identifier(std::string_view name) {
  static const std::set<std::string, std::less<>> kReserved = {
      "true",      "false",  "null",     "in",     "as",  "break", "const",
      "continue",  "else",   "for",      "if",     "let", "loop",  "package",
      "namespace", "return", "function", "import", "var", "void",  "while"};
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !name.empty() && letter(name.front()) && !kReserved.contains(name) &&
         std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

void variables(const json::value& policy, const FieldPath& path, FieldErrors& errors) {
  const json::array& list = get_array(policy, "spec.variables");
  for (std::size_t i = 0; i < list.size(); ++i) {
    const FieldPath at = path.index(i);
    const std::string_view name = text_of(list[i], "name"), text = text_of(list[i], "expression");
    if (is_blank(name)) {
      errors.required(at.child("name"), "name is not specified");
    } else if (!is_identifier(name)) {
      errors.invalid(at.child("name"), name, "name is not a valid CEL identifier");
    }
    if (is_blank(text)) {
      errors.required(at.child("expression"), "expression is not specified");
    } else {
      expression(policy, text, Place::kVariable, at.child("expression"), errors, i);
    }
  }
}

void rule_texts(const json::value& policy, const json::value& rule, const FieldPath& at,
                FieldErrors& errors) {
  const std::string_view made = text_of(rule, "messageExpression");
  if (!made.empty() && is_blank(made)) {
    errors.invalid(at.child("messageExpression"), made, "must be non-empty if specified");
  } else if (!made.empty()) {
    expression(policy, made, Place::kMessage, at.child("messageExpression"), errors);
  }
  const std::string_view message = text_of(rule, "message");
  if (!message.empty() && is_blank(message)) {
    errors.invalid(at.child("message"), message, "message must be non-empty if specified");
  } else if (trim(message).find_first_of("\r\n") != std::string_view::npos) {
    errors.invalid(at.child("message"), message, "message must not contain line breaks");
  }
  checks::one_of_if_set(rule, "reason", at,
                        {"Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized"}, errors);
}

void annotations(const json::value& policy, const FieldPath& path, FieldErrors& errors) {
  constexpr std::size_t kMax = 20, kTextMax = 5 * 1024;
  const json::array& list = get_array(policy, "spec.auditAnnotations");
  if (list.size() > kMax) {
    errors.invalid(path, list, "must not have more than 20 auditAnnotations");
  }
  std::set<std::string, std::less<>> seen;
  std::size_t index = 0;
  for (const json::value& note : list) {
    const FieldPath at = path.index(index++);
    const std::string key(text_of(note, "key"));
    errors.invalid_each(at.child("key"), std::string(name_of(policy)) + "/" + key,
                        check_qualified_name(std::string(name_of(policy)) + "/" + key));
    const std::string_view text = trim(text_of(note, "valueExpression"));
    if (text.empty()) {
      errors.required(at.child("valueExpression"), "valueExpression is not specified");
    } else if (text.size() > kTextMax) {
      errors.required(at.child("valueExpression"), "must not exceed 5120 bytes in length");
    } else {
      const std::string problem = expression_problem(
          text, policy_environment(policy, Place::kAnnotation), Place::kAnnotation);
      if (!problem.empty()) {
        errors.invalid(at.child("valueExpression"), text_of(note, "valueExpression"), problem);
      }
    }
    if (!seen.insert(key).second) errors.duplicate(at.child("key"), key);
  }
}

void rules(const json::value& policy, FieldErrors& errors) {
  const FieldPath path("spec");
  const json::array& list = get_array(policy, "spec.validations");
  if (list.empty() && get_array(policy, "spec.auditAnnotations").empty()) {
    for (const std::string_view key : {"validations", "auditAnnotations"}) {
      errors.required(path.child(key),
                      "validations or auditAnnotations must contain at least one item");
    }
    return;
  }
  for (std::size_t i = 0; i < list.size(); ++i) {
    const FieldPath at = path.child("validations").index(i);
    const std::string_view text = text_of(list[i], "expression");
    if (is_blank(text)) {
      errors.required(at.child("expression"), "expression is not specified");
    } else {
      expression(policy, text, Place::kValidation, at.child("expression"), errors);
    }
    rule_texts(policy, list[i], at, errors);
  }
  annotations(policy, path.child("auditAnnotations"), errors);
}

void param_ref(const json::value& ref, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kBoth = "name and selector are mutually exclusive";
  const std::string_view name = text_of(ref, "name");
  const json::value* selector = member(ref, "selector");
  if (!name.empty()) {
    errors.invalid_each(path.child("name"), name, check_path_segment_name(name));
    if (selector != nullptr) errors.forbidden(path.child("name"), kBoth);
  }
  if (selector != nullptr) {
    validate_label_selector(selector, path.child("selector"), errors);
    if (!name.empty()) errors.forbidden(path.child("selector"), kBoth);
  }
  if (name.empty() && selector == nullptr) {
    errors.required(path, "one of name or selector must be specified");
  }
  checks::one_of(ref, "parameterNotFoundAction", path, {"Deny", "Allow"}, errors);
}

void actions(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  const json::array& list = get_array(spec, "validationActions");
  std::set<std::string, std::less<>> seen;
  std::size_t index = 0;
  for (const json::value& action : list) {
    const FieldPath at = path.index(index++);
    const std::string text(action.is_string() ? std::string_view(action.get_string()) : "");
    if (text != "Audit" && text != "Deny" && text != "Warn") {
      errors.not_supported(at, action, {"Audit", "Deny", "Warn"});
    }
    if (!seen.insert(text).second) errors.duplicate(at, action);
  }
  if (seen.contains("Deny") && seen.contains("Warn")) {
    errors.invalid(path, list,
                   "must not contain both Deny and Warn (repeating the same validation failure "
                   "information in the API response and headers serves no purpose)");
  }
  if (seen.empty()) errors.required(path, "at least one validation action is required");
}

}  // namespace

void admission_policy(const json::value& object, const json::value*, FieldErrors& errors) {
  const json::value& spec = child_or_empty(object, "spec");
  const FieldPath path("spec");
  checks::one_of(spec, "failurePolicy", path, {"Fail", "Ignore"}, errors);
  if (const json::value* kind = member(spec, "paramKind")) {
    param_kind(*kind, path.child("paramKind"), errors);
  }
  const FieldPath match = path.child("matchConstraints");
  if (const json::value* constraints = member(spec, "matchConstraints")) {
    match_resources(*constraints, match, errors);
    if (get_array(*constraints, "resourceRules").empty()) {
      errors.required(match.child("resourceRules"));
    }
  } else {
    errors.required(match);
  }
  match_conditions(object, path.child("matchConditions"), errors);
  variables(object, path.child("variables"), errors);
  rules(object, errors);
}

void admission_policy_status(const json::value& object, const json::value&, FieldErrors& errors) {
  const FieldPath path = FieldPath("status").child("typeChecking", "expressionWarnings");
  std::size_t index = 0;
  for (const json::value& warning : get_array(object, "status.typeChecking.expressionWarnings")) {
    const FieldPath at = path.index(index++);
    checks::required_text(warning, "warning", at, errors);
    checks::required_text(warning, "fieldRef", at, errors);
  }
}

void admission_policy_binding(const json::value& object, const json::value*, FieldErrors& errors) {
  const json::value& spec = child_or_empty(object, "spec");
  const FieldPath path("spec");
  if (checks::required_text(spec, "policyName", path, errors)) {
    checks::dns_subdomain(text_of(spec, "policyName"), path.child("policyName"), errors);
  }
  if (const json::value* ref = member(spec, "paramRef")) {
    param_ref(*ref, path.child("paramRef"), errors);
  }
  if (const json::value* match = member(spec, "matchResources")) {
    match_resources(*match, path.child("matchResources"), errors);
  }
  actions(spec, path.child("validationActions"), errors);
}

}  // namespace coracle::api::policy
