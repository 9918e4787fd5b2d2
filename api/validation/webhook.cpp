// MutatingWebhookConfiguration and ValidatingWebhookConfiguration.
#include "api/validation/webhook.hpp"

#include <algorithm>
#include <set>

#include "api/validation/checks.hpp"
#include "api/validation/validation.hpp"
#include "base/strings.hpp"

namespace coracle::api::validation {
namespace {

using checks::member;
using checks::text_of;

std::string_view text(const json::value& v) {
  return v.is_string() ? std::string_view(v.as_string()) : std::string_view();
}

bool holds(const json::array& list, std::string_view word) {
  return std::any_of(list.begin(), list.end(),
                     [&](const json::value& v) { return text(v) == word; });
}

// https://host[:port][/path], nothing else.
void url(std::string_view url, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kForm = "; desired format: https://host[/path]";
  const std::size_t colon = url.find("://");
  const std::string_view scheme =
      colon == std::string_view::npos ? std::string_view() : url.substr(0, colon);
  if (scheme != "https") {
    errors.invalid(path, scheme, "'https' is the only allowed URL scheme" + std::string(kForm));
  }
  std::string_view rest = colon == std::string_view::npos ? url : url.substr(colon + 3);
  const std::string_view host = rest.substr(0, rest.find_first_of("/?#"));
  const std::size_t user = host.rfind('@');
  if (host.empty() || colon == std::string_view::npos) {
    errors.invalid(path, "", "host must be specified" + std::string(kForm));
  }
  if (user != std::string_view::npos) {
    errors.invalid(path, host.substr(0, user), "user information is not permitted in the URL");
  }
  const std::size_t hash = rest.find('#');
  if (hash != std::string_view::npos) {
    errors.invalid(path, rest.substr(hash + 1), "fragments are not permitted in the URL");
    rest = rest.substr(0, hash);
  }
  const std::size_t query = rest.find('?');
  if (query != std::string_view::npos) {
    errors.invalid(path, rest.substr(query + 1), "query parameters are not permitted in the URL");
  }
}

void service_path(std::string_view given, const FieldPath& path, FieldErrors& errors) {
  if (!given.starts_with('/')) {
    errors.invalid(path, given, "must start with a '/'");
    return;
  }
  std::string_view rest = given.substr(1);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (given == "/" || rest.empty()) {
    if (given == "//") errors.invalid(path, given, "segment[0] may not be empty");
    return;
  }
  std::size_t index = 0;
  for (const std::string& segment : split(rest, '/')) {
    const std::string at = "segment[" + std::to_string(index++) + "]";
    if (segment.empty()) {
      errors.invalid(path, given, at + " may not be empty");
      continue;
    }
    for (const std::string& message : check_dns1123_subdomain(segment)) {
      errors.invalid(path, given, at + ": " + message);
    }
  }
}

void service(const json::value& service, const FieldPath& path, FieldErrors& errors) {
  if (text_of(service, "name").empty()) {
    errors.required(path.child("name"), "service name is required");
  }
  if (text_of(service, "namespace").empty()) {
    errors.required(path.child("namespace"), "service namespace is required");
  }
  const std::int64_t port = get_int(service, "port", 443);
  if (!check_port_number(port).empty()) {
    errors.invalid(path.child("port"), port,
                   "port is not valid: " + check_port_number(port).front());
  }
  if (const json::value* given = member(service, "path")) {
    service_path(text(*given), path.child("path"), errors);
  }
}

void resources(const json::value& rule, const FieldPath& path, FieldErrors& errors) {
  const json::array& list = get_array(rule, "resources");
  if (list.empty()) errors.required(path);
  std::set<std::string, std::less<>> whole, everywhere;  // x/*, */x
  bool single = false, plain = false;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string_view name = text(list[i]);
    if (name.empty()) {
      errors.required(path.index(i));
      continue;
    }
    single = single || name == "*";
    const std::size_t slash = name.find('/');
    if (slash == std::string_view::npos) {
      plain = plain || name != "*";
      continue;
    }
    const std::string parent(name.substr(0, slash)), sub(name.substr(slash + 1));
    if (whole.contains(parent)) {
      errors.invalid(path.index(i), name,
                     "if '" + parent + "/*' is present, must not specify " + std::string(name));
    }
    if (everywhere.contains(sub)) {
      errors.invalid(path.index(i), name,
                     "if '*/" + sub + "' is present, must not specify " + std::string(name));
    }
    if (sub == "*") whole.insert(parent);
    if (parent == "*") everywhere.insert(sub);
  }
  if (list.size() > 1 && holds(list, "*/*")) {
    errors.invalid(path, list, "if '*/*' is present, must not specify other resources");
  }
  if (single && plain) {
    errors.invalid(path, list,
                   "if '*' is present, must not specify other resources without subresources");
  }
}

void conditions(const json::value& hook, const FieldPath& path, FieldErrors& errors) {
  const json::array& list = get_array(hook, "matchConditions");
  constexpr int kConditionsMax = 64;
  if (list.size() > kConditionsMax) {
    errors.too_many(path, static_cast<int>(list.size()), kConditionsMax);
  }
  std::set<std::string, std::less<>> seen;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const FieldPath at = path.index(i);
    if (trim(text_of(list[i], "expression")).empty()) errors.required(at.child("expression"));
    const std::string_view name = text_of(list[i], "name");
    if (name.empty()) {
      errors.required(at.child("name"));
      continue;
    }
    errors.invalid_each(at.child("name"), name, check_qualified_name(name));
    if (!seen.emplace(name).second) errors.duplicate(at.child("name"), name);
  }
}

void full_name(std::string_view name, const FieldPath& path, FieldErrors& errors) {
  if (name.empty()) {
    errors.required(path);
    return;
  }
  if (const auto messages = check_dns1123_subdomain(name); !messages.empty()) {
    errors.invalid(path, name, join(messages, ","));
  } else if (std::count(name.begin(), name.end(), '.') < 2) {
    errors.invalid(path, name, "should be a domain with at least three segments separated by dots");
  }
}

void hook(const json::value& hook, bool mutating, const FieldPath& path, FieldErrors& errors) {
  full_name(text_of(hook, "name"), path.child("name"), errors);
  std::size_t index = 0;
  for (const json::value& one : get_array(hook, "rules")) {
    operations_rule(one, path.child("rules").index(index++), errors);
  }
  checks::one_of_if_set(hook, "failurePolicy", path, {"Fail", "Ignore"}, errors);
  checks::one_of_if_set(hook, "matchPolicy", path, {"Equivalent", "Exact"}, errors);
  if (member(hook, "sideEffects") == nullptr) {
    errors.required(path.child("sideEffects"), "must specify one of None, NoneOnDryRun");
  } else {
    checks::one_of_if_set(hook, "sideEffects", path, {"None", "NoneOnDryRun"}, errors);
  }
  const std::int64_t timeout = get_int(hook, "timeoutSeconds", 10);
  if (timeout < 1 || timeout > 30) {
    errors.invalid(path.child("timeoutSeconds"), timeout,
                   "the timeout value must be between 1 and 30 seconds");
  }
  validate_label_selector(member(hook, "namespaceSelector"), path.child("namespaceSelector"),
                          errors);
  validate_label_selector(member(hook, "objectSelector"), path.child("objectSelector"), errors);
  if (mutating) {
    checks::one_of_if_set(hook, "reinvocationPolicy", path, {"IfNeeded", "Never"}, errors);
  }
  const json::value* client = member(hook, "clientConfig");
  webhook_client(client == nullptr ? json::value(json::object()) : *client,
                 path.child("clientConfig"), errors);
  conditions(hook, path.child("matchConditions"), errors);
  review_versions(hook, "admissionReviewVersions", path, "must specify one of v1, v1beta1", errors);
}

void configuration(const json::value& object, bool mutating, FieldErrors& errors) {
  const FieldPath path("webhooks");
  std::set<std::string, std::less<>> seen;
  std::size_t index = 0;
  for (const json::value& one : get_array(object, "webhooks")) {
    const FieldPath at = path.index(index++);
    hook(one, mutating, at, errors);
    const std::string_view name = text_of(one, "name");
    if (!name.empty() && !seen.emplace(name).second) errors.duplicate(at.child("name"), name);
  }
}

}  // namespace

void operations_rule(const json::value& rule, const FieldPath& path, FieldErrors& errors) {
  const json::array& operations = get_array(rule, "operations");
  if (operations.empty()) errors.required(path.child("operations"));
  if (operations.size() > 1 && holds(operations, "*")) {
    errors.invalid(path.child("operations"), operations,
                   "if '*' is present, must not specify other operations");
  }
  static const std::vector<std::string> kKnown = {"*", "CONNECT", "CREATE", "DELETE", "UPDATE"};
  for (std::size_t i = 0; i < operations.size(); ++i) {
    if (std::find(kKnown.begin(), kKnown.end(), text(operations[i])) == kKnown.end()) {
      errors.not_supported(path.child("operations").index(i), operations[i], kKnown);
    }
  }
  const json::array& groups = get_array(rule, "apiGroups");
  if (groups.empty()) errors.required(path.child("apiGroups"));
  if (groups.size() > 1 && holds(groups, "*")) {
    errors.invalid(path.child("apiGroups"), groups,
                   "if '*' is present, must not specify other API groups");
  }
  const json::array& versions = get_array(rule, "apiVersions");
  if (versions.empty()) errors.required(path.child("apiVersions"));
  if (versions.size() > 1 && holds(versions, "*")) {
    errors.invalid(path.child("apiVersions"), versions,
                   "if '*' is present, must not specify other API versions");
  }
  for (std::size_t i = 0; i < versions.size(); ++i) {
    if (text(versions[i]).empty()) errors.required(path.child("apiVersions").index(i));
  }
  resources(rule, path.child("resources"), errors);
  checks::one_of_if_set(rule, "scope", path, {"*", "Cluster", "Namespaced"}, errors);
}

void webhook_client(const json::value& config, const FieldPath& path, FieldErrors& errors) {
  const json::value* address = member(config, "url");
  const json::value* target = member(config, "service");
  if ((address == nullptr) == (target == nullptr)) {
    errors.required(path, "exactly one of url or service is required");
  } else if (address != nullptr) {
    url(text(*address), path.child("url"), errors);
  } else {
    service(*target, path.child("service"), errors);
  }
}

void review_versions(const json::value& holder, std::string_view key, const FieldPath& path,
                     std::string_view when_empty, FieldErrors& errors) {
  const FieldPath at = path.child(key);
  const json::array& list = get_array(holder, key);
  if (list.empty()) {
    errors.required(at, when_empty);
    return;
  }
  std::set<std::string, std::less<>> seen;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (!seen.emplace(text(list[i])).second) {
      errors.invalid(at.index(i), list[i], "duplicate version");
      continue;
    }
    errors.invalid_each(at.index(i), list[i], check_dns1035_label(text(list[i])));
  }
  if (!holds(list, "v1") && !holds(list, "v1beta1")) {
    errors.invalid(at, list, "must include at least one of v1, v1beta1");
  }
}

void mutating_webhooks(const json::value& object, const json::value*, FieldErrors& errors) {
  configuration(object, true, errors);
}

void validating_webhooks(const json::value& object, const json::value*, FieldErrors& errors) {
  configuration(object, false, errors);
}

}  // namespace coracle::api::validation
