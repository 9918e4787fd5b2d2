// FlowSchema and PriorityLevelConfiguration.
#include <algorithm>
#include <string>

#include "api/validation/checks.hpp"
#include "api/validation/validation.hpp"

namespace coracle::api::validation {
namespace {

using checks::child_or_empty;
using checks::member;
using checks::text_of;

constexpr std::int64_t kPrecedenceMax = 10000;
constexpr std::int64_t kQueuesMax = 10'000'000;
constexpr int kHashBits = 60;

const std::vector<std::string>& verbs_known() {
  static const std::vector<std::string> kVerbs = {
      "create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"};
  return kVerbs;
}

bool has_wildcard(const json::array& list) {
  return std::any_of(list.begin(), list.end(),
                     [](const json::value& v) { return v.is_string() && v.as_string() == "*"; });
}

// The list must have something, and nothing beside "*". Whether its members are worth a look.
bool wildcard_list(const json::value& rule, std::string_view key, const FieldPath& path,
                   std::string_view when_empty, std::string_view what, FieldErrors& errors) {
  const json::array& list = get_array(rule, key);
  if (list.empty()) {
    errors.required(path.child(key), when_empty);
    return false;
  }
  if (!has_wildcard(list)) {
    return true;
  }
  if (list.size() > 1) {
    errors.invalid(path.child(key), *member(rule, key),
                   "if '*' is present, must not specify other " + std::string(what));
  }
  return false;
}

void verbs(const json::value& rule, const FieldPath& path, FieldErrors& errors) {
  if (!wildcard_list(rule, "verbs", path, "verbs must contain at least one value", "verbs",
                     errors)) {
    return;
  }
  for (const json::value& verb : get_array(rule, "verbs")) {
    const auto& known = verbs_known();
    if (!verb.is_string() ||
        std::find(known.begin(), known.end(), std::string_view(verb.as_string())) == known.end()) {
      errors.not_supported(path.child("verbs"), *member(rule, "verbs"), known);
      return;
    }
  }
}

void subject_name(const json::value& subject, const FieldPath& path, FieldErrors& errors) {
  checks::required_text(subject, "name", path, errors);
}

void account(const json::value& subject, const FieldPath& path, FieldErrors& errors) {
  const std::string_view name = text_of(subject, "name");
  if (name.empty()) {
    errors.required(path.child("name"));
  } else if (name != "*") {
    errors.invalid_each(path.child("name"), name, check_dns1123_subdomain(name));
  }
  const std::string_view ns = text_of(subject, "namespace");
  if (ns.empty()) {
    errors.required(path.child("namespace"), "must specify namespace for service account");
  } else {
    errors.invalid_each(path.child("namespace"), ns, check_dns1123_label(ns));
  }
}

void subject(const json::value& subject, const FieldPath& path, FieldErrors& errors) {
  struct Form {
    std::string_view kind, key;
  };
  static constexpr Form kForms[] = {
      {"ServiceAccount", "serviceAccount"}, {"User", "user"}, {"Group", "group"}};
  const std::string_view kind = text_of(subject, "kind");
  const auto* mine = std::find_if(std::begin(kForms), std::end(kForms),
                                  [&](const Form& form) { return form.kind == kind; });
  if (mine == std::end(kForms)) {
    errors.not_supported(path.child("kind"), kind, {"Group", "ServiceAccount", "User"});
    return;
  }
  const FieldPath at = path.child(mine->key);
  const json::value* body = member(subject, mine->key);
  if (body == nullptr) {
    errors.required(at, std::string(mine->key) + " is required when subject kind is '" +
                            std::string(kind) + "'");
  } else if (kind == "ServiceAccount") {
    account(*body, at, errors);
  } else {
    subject_name(*body, at, errors);
  }
  for (const Form& other : {kForms[0], kForms[1], kForms[2]}) {
    if (other.kind != kind && member(subject, other.key) != nullptr) {
      errors.forbidden(path.child(other.key), std::string(other.key) +
                                                  " is forbidden when subject kind is not '" +
                                                  std::string(other.kind) + "'");
    }
  }
}

void resource_rule(const json::value& rule, const FieldPath& path, FieldErrors& errors) {
  verbs(rule, path, errors);
  wildcard_list(rule, "apiGroups", path, "resource rules must supply at least one api group",
                "api groups", errors);
  wildcard_list(rule, "resources", path, "resource rules must supply at least one resource",
                "resources", errors);
  if (get_array(rule, "namespaces").empty() && get_bool(rule, "clusterScope")) {
    return;
  }
  if (!wildcard_list(rule, "namespaces", path,
                     "resource rules that are not cluster scoped must supply at least one "
                     "namespace",
                     "namespaces", errors)) {
    return;
  }
  std::size_t index = 0;
  for (const json::value& ns : get_array(rule, "namespaces")) {
    const FieldPath at = path.child("namespaces").index(index++);
    const std::string_view text = ns.is_string() ? std::string_view(ns.as_string()) : "";
    for (const std::string& message : check_dns1123_label(text)) {
      errors.invalid(at, text,
                     "each member of this list must be '*' or a DNS-1123 label; " + message);
    }
  }
}

void url(std::string_view path, const FieldPath& at, FieldErrors& errors) {
  if (path.empty()) {
    errors.invalid(at, path, "must not be empty");
    return;
  }
  if (path == "/") {
    return;
  }
  const auto stars = std::count(path.begin(), path.end(), '*');
  if (!path.starts_with('/')) {
    errors.invalid(at, path, "must start with slash");
  } else if (path.find(' ') != std::string_view::npos) {
    errors.invalid(at, path, "must not contain white-space");
  } else if (path.find("//") != std::string_view::npos) {
    errors.invalid(at, path, "must not contain double slash");
  } else if (stars > 1 || (stars == 1 && !path.ends_with("/*"))) {
    errors.invalid(at, path, "wildcard can only do suffix matching");
  }
}

void url_rule(const json::value& rule, const FieldPath& path, FieldErrors& errors) {
  verbs(rule, path, errors);
  if (!wildcard_list(rule, "nonResourceURLs", path,
                     "nonResourceURLs must contain at least one value", "non-resource URLs",
                     errors)) {
    return;
  }
  std::size_t index = 0;
  for (const json::value& one : get_array(rule, "nonResourceURLs")) {
    url(one.is_string() ? std::string_view(one.as_string()) : "",
        path.child("nonResourceURLs").index(index++), errors);
  }
}

void rule(const json::value& rule, const FieldPath& path, FieldErrors& errors) {
  const json::array& subjects = get_array(rule, "subjects");
  if (subjects.empty()) {
    errors.required(path.child("subjects"), "subjects must contain at least one value");
  }
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    subject(subjects[i], path.child("subjects").index(i), errors);
  }
  const json::array& resources = get_array(rule, "resourceRules");
  const json::array& urls = get_array(rule, "nonResourceRules");
  if (resources.empty() && urls.empty()) {
    errors.required(path, "at least one of resourceRules and nonResourceRules has to be non-empty");
  }
  for (std::size_t i = 0; i < resources.size(); ++i) {
    resource_rule(resources[i], path.child("resourceRules").index(i), errors);
  }
  for (std::size_t i = 0; i < urls.size(); ++i) {
    url_rule(urls[i], path.child("nonResourceRules").index(i), errors);
  }
}

// How many bits of a hash deal `hand` of `queues` cards.
int entropy_bits(std::int64_t queues, std::int64_t hand) {
  double deals = 1;
  for (std::int64_t i = 0; i < hand; ++i) {
    deals *= static_cast<double>(queues - i);
  }
  int bits = 0;
  for (double left = deals; left > 1 && bits <= 1024; left /= 2) {
    ++bits;
  }
  return bits;
}

void queuing(const json::value& in, const FieldPath& path, FieldErrors& errors) {
  const std::int64_t length = get_int(in, "queueLengthLimit");
  const std::int64_t queues = get_int(in, "queues");
  const std::int64_t hand = get_int(in, "handSize");
  if (length <= 0) {
    errors.invalid(path.child("queueLengthLimit"), length, "must be positive");
  }
  if (queues <= 0) {
    errors.invalid(path.child("queues"), queues, "must be positive");
  } else if (queues > kQueuesMax) {
    errors.invalid(path.child("queues"), queues,
                   "must not be greater than " + std::to_string(kQueuesMax));
  }
  if (hand <= 0) {
    errors.invalid(path.child("handSize"), hand, "must be positive");
  } else if (hand > queues) {
    errors.invalid(path.child("handSize"), hand,
                   "should not be greater than queues (" + std::to_string(queues) + ")");
  } else if (hand > 1024 || entropy_bits(queues, hand) > kHashBits) {
    errors.invalid(path.child("handSize"), hand,
                   "required entropy bits of deckSize " + std::to_string(queues) +
                       " and handSize " + std::to_string(hand) + " should not be greater than " +
                       std::to_string(kHashBits));
  }
}

void percent(const json::value& in, std::string_view key, const FieldPath& path,
             FieldErrors& errors) {
  const json::value* value = member(in, key);
  if (value != nullptr && value->is_int64() &&
      (value->get_int64() < 0 || value->get_int64() > 100)) {
    errors.invalid(path.child(key), *value, "must be between 0 and 100, inclusive");
  }
}

void limited(const json::value& in, const FieldPath& path, FieldErrors& errors) {
  checks::non_negative(in, {"nominalConcurrencyShares"}, path, errors);
  const json::value& response = child_or_empty(in, "limitResponse");
  const FieldPath at = path.child("limitResponse");
  const std::string_view type = text_of(response, "type");
  const json::value* queues = member(response, "queuing");
  if (type == "Reject") {
    if (queues != nullptr) {
      errors.forbidden(at.child("queuing"),
                       "must be nil if limited.limitResponse.type is not Limited");
    }
  } else if (type == "Queue") {
    if (queues == nullptr) {
      errors.required(at.child("queuing"),
                      "must not be empty if limited.limitResponse.type is Limited");
    } else {
      queuing(*queues, at.child("queuing"), errors);
    }
  } else {
    errors.not_supported(at.child("type"), type, {"Queue", "Reject"});
  }
  percent(in, "lendablePercent", path, errors);
  checks::non_negative(in, {"borrowingLimitPercent"}, path, errors);
}

// The specs of the mandatory objects, as upstream fixes them. Of `exempt` only the shares may
// differ.
constexpr std::string_view kExemptSchema =
    R"({"priorityLevelConfiguration":{"name":"exempt"},"matchingPrecedence":1,"rules":[{)"
    R"("subjects":[{"kind":"Group","group":{"name":"system:masters"}}],)"
    R"("resourceRules":[{"verbs":["*"],"apiGroups":["*"],"resources":["*"],"clusterScope":true,)"
    R"("namespaces":["*"]}],"nonResourceRules":[{"verbs":["*"],"nonResourceURLs":["*"]}]}]})";
constexpr std::string_view kCatchAllSchema =
    R"({"priorityLevelConfiguration":{"name":"catch-all"},"matchingPrecedence":10000,)"
    R"("distinguisherMethod":{"type":"ByUser"},"rules":[{"subjects":[)"
    R"({"kind":"Group","group":{"name":"system:unauthenticated"}},)"
    R"({"kind":"Group","group":{"name":"system:authenticated"}}],)"
    R"("resourceRules":[{"verbs":["*"],"apiGroups":["*"],"resources":["*"],"clusterScope":true,)"
    R"("namespaces":["*"]}],"nonResourceRules":[{"verbs":["*"],"nonResourceURLs":["*"]}]}]})";
constexpr std::string_view kCatchAllLevel =
    R"({"type":"Limited","limited":{"nominalConcurrencyShares":5,"lendablePercent":0,)"
    R"("limitResponse":{"type":"Reject"}}})";

void fixed_spec(const json::value& object, std::string_view fixed, FieldErrors& errors) {
  const auto wanted = parse_json(fixed);
  CHECK(wanted.ok());
  const json::value& spec = child_or_empty(object, "spec");
  if (spec == *wanted) return;
  errors.invalid(FieldPath("spec"), spec,
                 "spec of '" + std::string(name_of(object)) + "' must equal the fixed value");
}

}  // namespace

void flow_schema(const json::value& object, const json::value*, FieldErrors& errors) {
  const json::value& spec = child_or_empty(object, "spec");
  const FieldPath path("spec");
  const std::int64_t precedence = get_int(spec, "matchingPrecedence");
  const FieldPath at = path.child("matchingPrecedence");
  if (precedence <= 0) {
    errors.invalid(at, precedence, "must be a positive value");
  }
  if (precedence > kPrecedenceMax) {
    errors.invalid(at, precedence, "must not be greater than " + std::to_string(kPrecedenceMax));
  }
  if (precedence == 1 && name_of(object) != "exempt") {
    errors.invalid(at, precedence, "only the schema named 'exempt' may have matchingPrecedence 1");
  }
  if (const json::value* method = member(spec, "distinguisherMethod")) {
    const std::string_view type = text_of(*method, "type");
    if (type != "ByNamespace" && type != "ByUser") {
      errors.not_supported(path.child("distinguisherMethod", "type"), *method,
                           {"ByNamespace", "ByUser"});
    }
  }
  const FieldPath level = path.child("priorityLevelConfiguration", "name");
  const std::string_view name = get_string(spec, "priorityLevelConfiguration.name");
  if (name.empty()) {
    errors.required(level, "must reference a priority level");
  } else {
    errors.invalid_each(level, name, check_dns1123_subdomain(name));
  }
  std::size_t index = 0;
  for (const json::value& one : get_array(spec, "rules")) {
    rule(one, path.child("rules").index(index++), errors);
  }
  if (name_of(object) == "exempt") fixed_spec(object, kExemptSchema, errors);
  if (name_of(object) == "catch-all") fixed_spec(object, kCatchAllSchema, errors);
}

void priority_level(const json::value& object, const json::value*, FieldErrors& errors) {
  const json::value& spec = child_or_empty(object, "spec");
  const FieldPath path("spec");
  const std::string_view type = text_of(spec, "type");
  if ((name_of(object) == "exempt") != (type == "Exempt")) {
    errors.invalid(path.child("type"), type,
                   "type must be 'Exempt' if and only if name is 'exempt'");
  }
  const json::value* limits = member(spec, "limited");
  if (type == "Exempt") {
    if (limits != nullptr) {
      errors.forbidden(path.child("limited"), "must be nil if the type is not Limited");
    }
    if (const json::value* exempt = member(spec, "exempt")) {
      checks::non_negative(*exempt, {"nominalConcurrencyShares"}, path.child("exempt"), errors);
      percent(*exempt, "lendablePercent", path.child("exempt"), errors);
    }
  } else if (type == "Limited") {
    if (member(spec, "exempt") != nullptr) {
      errors.forbidden(path.child("exempt"), "must be nil if the type is Limited");
    }
    if (limits == nullptr) {
      errors.required(path.child("limited"), "must not be empty when type is Limited");
    } else {
      limited(*limits, path.child("limited"), errors);
    }
  } else {
    errors.not_supported(path.child("type"), type, {"Exempt", "Limited"});
  }
  if (name_of(object) == "catch-all") fixed_spec(object, kCatchAllLevel, errors);
}

}  // namespace coracle::api::validation
