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

void node_term(const json::value& term, const FieldPath& path, FieldErrors& errors) {
  for (const std::string_view list : {"matchExpressions", "matchFields"}) {
    std::size_t index = 0;
    for (const json::value& requirement : get_array(term, list)) {
      node_requirement(requirement, path.child(list).index(index++), errors);
    }
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
    const FieldPath at = path.child(kRequired).child("nodeSelectorTerms");
    const json::array& terms = get_array(*required, "nodeSelectorTerms");
    if (terms.empty()) {
      errors.required(at, "must have at least one node selector term");
    }
    std::size_t index = 0;
    for (const json::value& term : terms) {
      node_term(term, at.index(index++), errors);
    }
  }
  std::size_t index = 0;
  for (const json::value& term : get_array(rules, kPreferred)) {
    const FieldPath at = path.child(kPreferred).index(index++);
    weight(term, at, errors);
    if (const json::value* preference = member(term, "preference")) {
      node_term(*preference, at.child("preference"), errors);
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
  const std::string_view topology = text_of(term, "topologyKey");
  if (topology.empty()) {
    errors.required(path.child("topologyKey"), "can not be empty");
  } else {
    checks::label_name(topology, path.child("topologyKey"), errors);
  }
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
      errors.invalid(path.child("operator"), item,
                     "value must be empty when `operator` is 'Exists'");
    }
  } else {
    errors.not_supported(path.child("operator"), checks::text_value(op), {"Equal", "Exists"});
  }
  if (!effect.empty()) {
    taint_effect(effect, path.child("effect"), errors);
  }
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

void topology_spread(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  std::set<std::pair<std::string, std::string>> seen;
  std::size_t index = 0;
  for (const json::value& constraint : get_array(spec, "topologySpreadConstraints")) {
    const FieldPath at = path.child("topologySpreadConstraints").index(index++);
    if (get_int(constraint, "maxSkew") <= 0) {
      errors.invalid(at.child("maxSkew"), get_int(constraint, "maxSkew"),
                     "must be greater than zero");
    }
    const std::string topology(text_of(constraint, "topologyKey"));
    const std::string action(text_of(constraint, "whenUnsatisfiable"));
    if (topology.empty()) {
      errors.required(at.child("topologyKey"), "can not be empty");
    } else {
      checks::label_name(topology, at.child("topologyKey"), errors);
    }
    if (action != "DoNotSchedule" && action != "ScheduleAnyway") {
      errors.not_supported(at.child("whenUnsatisfiable"), checks::text_value(action),
                           {"DoNotSchedule", "ScheduleAnyway"});
    }
    if (!seen.emplace(topology, action).second) {
      errors.duplicate(at.child("{topologyKey, whenUnsatisfiable}"),
                       checks::text_value("{" + topology + ", " + action + "}"));
    }
    const json::value* domains = member(constraint, "minDomains");
    if (domains != nullptr && get_int(constraint, "minDomains") <= 0) {
      errors.invalid(at.child("minDomains"), *domains, "must be greater than 0");
    }
    if (const json::value* selector = member(constraint, "labelSelector")) {
      validate_label_selector(selector, at.child("labelSelector"), errors);
    }
  }
}

}  // namespace coracle::api::validation
