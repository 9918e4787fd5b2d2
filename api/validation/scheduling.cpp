#include <algorithm>
#include <set>
#include <string>

#include "api/validation/checks.hpp"
#include "api/validation/pod_parts.hpp"
#include "base/strings.hpp"

namespace coracle::api::validation {
namespace {

using checks::member;
using checks::text_of;

void node_requirement(const json::value& requirement, const FieldPath& path, FieldErrors& errors) {
  const std::string_view op = text_of(requirement, "operator");
  const std::size_t values = get_array(requirement, "values").size();
  if (op == "In" || op == "NotIn") {
    if (values == 0) {
      errors.required(path.child("values"), "must be specified when `operator` is 'In' or 'NotIn'");
    }
  } else if (op == "Exists" || op == "DoesNotExist") {
    if (values > 0) {
      errors.forbidden(path.child("values"),
                       "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    }
  } else if (op == "Gt" || op == "Lt") {
    if (values != 1) {
      errors.required(path.child("values"),
                      "must be specified single value when `operator` is 'Lt' or 'Gt'");
    }
  } else {
    errors.invalid(path.child("operator"), checks::text_value(op), "not a valid selector operator");
  }
  checks::label_name(text_of(requirement, "key"), path.child("key"), errors);
}

void label_values(const json::value& requirement, const FieldPath& path, FieldErrors& errors) {
  std::size_t index = 0;
  for (const json::value& value : get_array(requirement, "values")) {
    const FieldPath at = path.child("values").index(index++);
    if (value.is_string()) {
      errors.invalid_each(at, value, check_label_value(value.get_string()));
    }
  }
}

// A node's own fields: its name is the only one.
void field_requirement(const json::value& requirement, const FieldPath& path, FieldErrors& errors) {
  const std::string_view op = text_of(requirement, "operator");
  const json::array& values = get_array(requirement, "values");
  if (op != "In" && op != "NotIn") {
    errors.invalid(path.child("operator"), op, "not a valid selector operator");
  } else if (values.size() != 1) {
    errors.required(path.child("values"),
                    "must be only one value when `operator` is 'In' or 'NotIn' for node field "
                    "selector");
  }
  if (text_of(requirement, "key") != "metadata.name") {
    errors.invalid(path.child("key"), text_of(requirement, "key"),
                   "not a valid field selector key");
    return;
  }
  std::size_t index = 0;
  for (const json::value& value : values) {
    const FieldPath at = path.child("values").index(index++);
    if (value.is_string()) {
      checks::dns_subdomain(value.get_string(), at, errors);
    }
  }
}

// A preference may name values that no label can have.
enum class Values { kChecked, kAny };

void node_term(const json::value& term, Values rule, const FieldPath& path, FieldErrors& errors) {
  std::size_t index = 0;
  for (const json::value& requirement : get_array(term, "matchExpressions")) {
    const FieldPath at = path.child("matchExpressions").index(index++);
    node_requirement(requirement, at, errors);
    if (rule == Values::kChecked) {
      label_values(requirement, at, errors);
    }
  }
  index = 0;
  for (const json::value& requirement : get_array(term, "matchFields")) {
    field_requirement(requirement, path.child("matchFields").index(index++), errors);
  }
}

void weight(const json::value& term, const FieldPath& path, FieldErrors& errors) {
  const std::int64_t value = get_int(term, "weight");
  if (value <= 0 || value > 100) {
    errors.invalid(path.child("weight"), value, "must be in the range 1-100");
  }
}

void node_affinity(const json::value& rules, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kRequired = "requiredDuringSchedulingIgnoredDuringExecution";
  constexpr std::string_view kPreferred = "preferredDuringSchedulingIgnoredDuringExecution";
  if (const json::value* required = member(rules, kRequired)) {
    node_selector(*required, path.child(kRequired), errors);
  }
  std::size_t index = 0;
  for (const json::value& term : get_array(rules, kPreferred)) {
    const FieldPath at = path.child(kPreferred).index(index++);
    weight(term, at, errors);
    if (const json::value* preference = member(term, "preference")) {
      node_term(*preference, Values::kAny, at.child("preference"), errors);
    }
  }
}

// matchLabelKeys and mismatchLabelKeys, of a term or of a spread constraint.
void match_keys(const json::value& term, const FieldPath& path, FieldErrors& errors) {
  std::set<std::string_view> mismatched;
  for (const std::string_view list : {"matchLabelKeys", "mismatchLabelKeys"}) {
    const json::array& keys = get_array(term, list);
    if (!keys.empty() && member(term, "labelSelector") == nullptr) {
      errors.forbidden(path.child(list), "must not be specified when labelSelector is not set");
      continue;
    }
    std::size_t index = 0;
    for (const json::value& key : keys) {
      const FieldPath at = path.child(list).index(index++);
      if (!key.is_string()) {
        continue;
      }
      checks::label_name(key.get_string(), at, errors);
      if (list == "mismatchLabelKeys") {
        mismatched.insert(key.get_string());
      }
    }
  }
  std::size_t index = 0;
  for (const json::value& key : get_array(term, "matchLabelKeys")) {
    const FieldPath at = path.child("matchLabelKeys").index(index++);
    if (key.is_string() && mismatched.count(key.get_string()) > 0) {
      errors.invalid(at, key, "exists in both matchLabelKeys and mismatchLabelKeys");
    }
  }
}

void pod_term(const json::value& term, const FieldPath& path, FieldErrors& errors) {
  for (const std::string_view key : {"labelSelector", "namespaceSelector"}) {
    if (const json::value* selector = member(term, key)) {
      validate_label_selector(selector, path.child(key), errors);
    }
  }
  for (const json::value& name : get_array(term, "namespaces")) {
    if (name.is_string()) {
      checks::dns_label(name.get_string(), path.child("namespace"), errors);
    }
  }
  match_keys(term, path, errors);
  const std::string_view topology = text_of(term, "topologyKey");
  if (topology.empty()) {
    errors.required(path.child("topologyKey"), "can not be empty");
  }
  checks::label_name(topology, path.child("topologyKey"), errors);
}

void pod_affinity(const json::value& rules, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kRequired = "requiredDuringSchedulingIgnoredDuringExecution";
  constexpr std::string_view kPreferred = "preferredDuringSchedulingIgnoredDuringExecution";
  std::size_t index = 0;
  for (const json::value& term : get_array(rules, kRequired)) {
    pod_term(term, path.child(kRequired).index(index++), errors);
  }
  index = 0;
  for (const json::value& term : get_array(rules, kPreferred)) {
    const FieldPath at = path.child(kPreferred).index(index++);
    weight(term, at, errors);
    if (const json::value* inner = member(term, "podAffinityTerm")) {
      pod_term(*inner, at.child("podAffinityTerm"), errors);
    }
  }
}

void toleration(const json::value& item, const FieldPath& path, FieldErrors& errors) {
  const std::string_view key = text_of(item, "key");
  const std::string_view op = text_of(item, "operator");
  const std::string_view value = text_of(item, "value");
  const std::string_view effect = text_of(item, "effect");
  if (!key.empty()) {
    checks::label_name(key, path.child("key"), errors);
  }
  if (key.empty() && op != "Exists") {
    errors.invalid(path.child("operator"), checks::text_value(op),
                   "operator must be Exists when `key` is empty, which means \"match all values "
                   "and all keys\"");
  }
  if (member(item, "tolerationSeconds") != nullptr && effect != "NoExecute") {
    errors.invalid(path.child("effect"), checks::text_value(effect),
                   "effect must be 'NoExecute' when `tolerationSeconds` is set");
  }
  if (op == "Equal" || op.empty()) {
    const Messages messages = check_label_value(value);
    if (!messages.empty()) {
      errors.invalid(path.child("operator"), checks::text_value(value), join(messages, ";"));
    }
  } else if (op == "Exists") {
    if (!value.empty()) {
      errors.invalid(path.child("operator"), value,
                     "value must be empty when `operator` is 'Exists'");
    }
  } else {
    errors.not_supported(path.child("operator"), checks::text_value(op), {"Equal", "Exists"});
  }
  if (!effect.empty()) {
    taint_effect(effect, path.child("effect"), errors);
  }
}

// The pair of topology and action names a constraint: the first of two is the one reported.
void repeated(const json::array& constraints, std::size_t i, const FieldPath& path,
              FieldErrors& errors) {
  const std::string topology(text_of(constraints[i], "topologyKey"));
  const std::string action(text_of(constraints[i], "whenUnsatisfiable"));
  for (std::size_t other = i + 1; other < constraints.size(); ++other) {
    if (text_of(constraints[other], "topologyKey") == topology &&
        text_of(constraints[other], "whenUnsatisfiable") == action) {
      errors.duplicate(path.child("{topologyKey, whenUnsatisfiable}"),
                       "{" + topology + ", " + action + "}");
      return;
    }
  }
}

void spread_constraint(const json::array& constraints, std::size_t i, const FieldPath& at,
                       FieldErrors& errors) {
  const json::value& constraint = constraints[i];
  const std::string action(text_of(constraint, "whenUnsatisfiable"));
  if (get_int(constraint, "maxSkew") <= 0) {
    errors.invalid(at.child("maxSkew"), get_int(constraint, "maxSkew"),
                   "must be greater than zero");
  }
  if (text_of(constraint, "topologyKey").empty()) {
    errors.required(at.child("topologyKey"), "can not be empty");
  }
  if (action != "DoNotSchedule" && action != "ScheduleAnyway") {
    errors.not_supported(at.child("whenUnsatisfiable"), action,
                         {"DoNotSchedule", "ScheduleAnyway"});
  }
  repeated(constraints, i, at, errors);
  if (const json::value* domains = member(constraint, "minDomains")) {
    if (get_int(constraint, "minDomains") <= 0) {
      errors.invalid(at.child("minDomains"), *domains, "must be greater than zero");
    }
    if (action != "DoNotSchedule") {
      errors.invalid(at.child("minDomains"), *domains,
                     "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not " + action);
    }
  }
  for (const std::string_view key : {"nodeAffinityPolicy", "nodeTaintsPolicy"}) {
    checks::one_of_if_set(constraint, key, at, {"Honor", "Ignore"}, errors);
  }
  match_keys(constraint, at, errors);
  validate_label_selector(member(constraint, "labelSelector"), at.child("labelSelector"), errors);
}

}  // namespace

void taint_effect(std::string_view effect, const FieldPath& path, FieldErrors& errors) {
  if (effect.empty()) {
    errors.required(path);
  } else if (effect != "NoSchedule" && effect != "PreferNoSchedule" && effect != "NoExecute") {
    errors.not_supported(path, checks::text_value(effect),
                         {"NoSchedule", "PreferNoSchedule", "NoExecute"});
  }
}

void affinity(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  const json::value* rules = member(spec, "affinity");
  if (rules == nullptr) {
    return;
  }
  const FieldPath at = path.child("affinity");
  if (const json::value* node = member(*rules, "nodeAffinity")) {
    node_affinity(*node, at.child("nodeAffinity"), errors);
  }
  for (const std::string_view key : {"podAffinity", "podAntiAffinity"}) {
    if (const json::value* pods = member(*rules, key)) {
      pod_affinity(*pods, at.child(key), errors);
    }
  }
}

void tolerations(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  std::size_t index = 0;
  for (const json::value& item : get_array(spec, "tolerations")) {
    toleration(item, path.child("tolerations").index(index++), errors);
  }
}

void node_selector(const json::value& selector, const FieldPath& path, FieldErrors& errors) {
  const FieldPath at = path.child("nodeSelectorTerms");
  const json::array& terms = get_array(selector, "nodeSelectorTerms");
  if (terms.empty()) {
    errors.required(at, "must have at least one node selector term");
  }
  std::size_t index = 0;
  for (const json::value& term : terms) {
    node_term(term, Values::kChecked, at.index(index++), errors);
  }
}

void topology_spread(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  const json::array& constraints = get_array(spec, "topologySpreadConstraints");
  for (std::size_t i = 0; i < constraints.size(); ++i) {
    spread_constraint(constraints, i, path.child("topologySpreadConstraints").index(i), errors);
  }
}

}  // namespace coracle::api::validation
