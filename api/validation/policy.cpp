// PodDisruptionBudget, HorizontalPodAutoscaler, Ingress, NetworkPolicy and the rbac kinds.
#include <string>

#include "api/validation/checks.hpp"
#include "api/validation/go_structs.hpp"
#include "api/validation/validation.hpp"

namespace coracle::api::validation {
namespace {

using checks::member;
using checks::text_of;

constexpr std::string_view kRbac = "rbac.authorization.k8s.io";

const json::value& child_or_empty(const json::value& object, std::string_view key) {
  static const json::value kNothing = json::object();
  const json::value* found = member(object, key);
  return found == nullptr ? kNothing : *found;
}

void rule(const json::value& rule, bool namespaced, const FieldPath& path, FieldErrors& errors) {
  if (get_array(rule, "verbs").empty()) {
    errors.required(path.child("verbs"), "verbs must contain at least one value");
  }
  if (!get_array(rule, "nonResourceURLs").empty()) {
    if (namespaced) {
      errors.invalid(path.child("nonResourceURLs"), *member(rule, "nonResourceURLs"),
                     "namespaced rules cannot apply to non-resource URLs");
    }
    if (!get_array(rule, "apiGroups").empty() || !get_array(rule, "resources").empty() ||
        !get_array(rule, "resourceNames").empty()) {
      errors.invalid(path.child("nonResourceURLs"), *member(rule, "nonResourceURLs"),
                     "rules cannot apply to both regular resources and non-resource URLs");
    }
    return;
  }
  if (get_array(rule, "apiGroups").empty()) {
    errors.required(path.child("apiGroups"), "resource rules must supply at least one api group");
  }
  if (get_array(rule, "resources").empty()) {
    errors.required(path.child("resources"), "resource rules must supply at least one resource");
  }
}

void rules(const json::value& object, bool namespaced, FieldErrors& errors) {
  std::size_t index = 0;
  for (const json::value& entry : get_array(object, "rules")) {
    rule(entry, namespaced, FieldPath("rules").index(index++), errors);
  }
}

void subject(const json::value& subject, bool namespaced, const FieldPath& path,
             FieldErrors& errors) {
  checks::required_text(subject, "name", path, errors);
  const std::string_view kind = text_of(subject, "kind");
  const std::string_view group = text_of(subject, "apiGroup");
  if (kind == "ServiceAccount") {
    if (!text_of(subject, "name").empty()) {
      checks::dns_subdomain(text_of(subject, "name"), path.child("name"), errors);
    }
    if (!group.empty()) {
      errors.not_supported(path.child("apiGroup"), checks::text_value(group), {""});
    }
    if (!namespaced) {
      checks::required_text(subject, "namespace", path, errors);
    }
  } else if (kind == "User" || kind == "Group") {
    if (group != kRbac) {
      errors.not_supported(path.child("apiGroup"), checks::text_value(group), {std::string(kRbac)});
    }
  } else {
    errors.not_supported(path.child("kind"), checks::text_value(kind),
                         {"Group", "ServiceAccount", "User"});
  }
}

void backend(const json::value& backend, const FieldPath& path, FieldErrors& errors) {
  const json::value* service = member(backend, "service");
  const json::value* resource = member(backend, "resource");
  if (service != nullptr && resource != nullptr) {
    errors.invalid(path, "", "cannot set both resource and service backends");
  } else if (service == nullptr && resource == nullptr) {
    errors.required(path, "resource or service backend is required");
  } else if (service != nullptr) {
    const FieldPath at = path.child("service");
    if (checks::required_text(*service, "name", at, errors)) {
      const std::string_view name = text_of(*service, "name");
      errors.invalid_each(at.child("name"), checks::text_value(name), check_dns1035_label(name));
    }
    const json::value& port = child_or_empty(*service, "port");
    const bool named = !text_of(port, "name").empty();
    const std::int64_t number = get_int(port, "number");
    if (named && number != 0) {
      errors.invalid(at, "", "cannot set both port name & port number");
    } else if (named) {
      errors.invalid_each(at.child("port").child("name"), *member(port, "name"),
                          check_port_name(text_of(port, "name")));
    } else if (number != 0) {
      checks::port_number(member(port, "number"), at.child("port").child("number"), errors);
    } else {
      errors.required(at, "port name or number is required");
    }
  }
}

void ingress_path(const json::value& entry, const FieldPath& path, FieldErrors& errors) {
  const json::value* type = member(entry, "pathType");
  const std::string_view kind = text_of(entry, "pathType");
  const std::string_view text = text_of(entry, "path");
  if (type == nullptr || kind.empty()) {
    errors.required(path.child("pathType"), "pathType must be specified");
  } else if (kind == "Exact" || kind == "Prefix") {
    if (!text.starts_with('/')) {
      errors.invalid(path.child("path"), checks::text_value(text), "must be an absolute path");
    }
  } else if (kind != "ImplementationSpecific") {
    errors.not_supported(path.child("pathType"), *type,
                         {"Exact", "ImplementationSpecific", "Prefix"});
  }
  backend(child_or_empty(entry, "backend"), path.child("backend"), errors);
}

void policy_ports(const json::value& rule, const FieldPath& path, FieldErrors& errors) {
  std::size_t index = 0;
  for (const json::value& port : get_array(rule, "ports")) {
    const FieldPath at = path.child("ports").index(index++);
    checks::one_of_if_set(port, "protocol", at, {"SCTP", "TCP", "UDP"}, errors);
    if (const json::value* number = member(port, "port")) {
      checks::port_number_or_name(number, at.child("port"), errors);
    }
    const json::value* end = member(port, "endPort");
    if (end != nullptr && get_int(port, "endPort") < get_int(port, "port")) {
      errors.invalid(at.child("endPort"), *end, "must be greater than or equal to `port`");
    }
  }
}

void policy_peers(const json::value& rule, std::string_view list, const FieldPath& path,
                  FieldErrors& errors) {
  std::size_t index = 0;
  for (const json::value& peer : get_array(rule, list)) {
    const FieldPath at = path.child(list).index(index++);
    int kinds = 0;
    for (const std::string_view key : {"podSelector", "namespaceSelector"}) {
      if (const json::value* selector = member(peer, key)) {
        ++kinds;
        validate_label_selector(selector, at.child(key), errors);
      }
    }
    const bool block = member(peer, "ipBlock") != nullptr;
    if (block && kinds > 0) {
      errors.forbidden(at, "may not specify both ipBlock and another peer");
    } else if (!block && kinds == 0) {
      errors.required(at, "must specify a peer");
    }
  }
}

}  // namespace

void disruption_budget(const json::value& object, const json::value*, FieldErrors& errors) {
  const json::value& spec = child_or_empty(object, "spec");
  const FieldPath path("spec");
  const json::value* least = member(spec, "minAvailable");
  const json::value* most = member(spec, "maxUnavailable");
  if (least != nullptr && most != nullptr) {
    errors.invalid(path, as_go_struct(spec, "PodDisruptionBudgetSpec"),
                   "minAvailable and maxUnavailable cannot be both set");
  }
  for (const std::string_view key : {"minAvailable", "maxUnavailable"}) {
    checks::int_or_percent(member(spec, key), path.child(key), errors);
    checks::at_most_100_percent(member(spec, key), path.child(key), errors);
  }
  if (const json::value* selector = member(spec, "selector")) {
    validate_label_selector(selector, path.child("selector"), errors);
  }
  checks::one_of_if_set(spec, "unhealthyPodEvictionPolicy", path,
                        {"AlwaysAllow", "IfHealthyBudget"}, errors);
}

void autoscaler(const json::value& object, const json::value*, FieldErrors& errors) {
  const json::value& spec = child_or_empty(object, "spec");
  const FieldPath path("spec");
  const std::int64_t least = get_int(spec, "minReplicas", 1);
  const std::int64_t most = get_int(spec, "maxReplicas");
  if (least < 1) {
    errors.invalid(path.child("minReplicas"), least, "must be greater than or equal to 1");
  }
  if (most < 1) {
    errors.invalid(path.child("maxReplicas"), most, "must be greater than 0");
  }
  if (most < least) {
    errors.invalid(path.child("maxReplicas"), most,
                   "must be greater than or equal to `minReplicas`");
  }
  const json::value& target = child_or_empty(spec, "scaleTargetRef");
  for (const std::string_view key : {"kind", "name"}) {
    if (checks::required_text(target, key, path.child("scaleTargetRef"), errors)) {
      errors.invalid_each(path.child("scaleTargetRef").child(key), *member(target, key),
                          check_path_segment_name(text_of(target, key)));
    }
  }
}

void ingress(const json::value& object, const json::value*, FieldErrors& errors) {
  const json::value& spec = child_or_empty(object, "spec");
  const FieldPath path("spec");
  const json::array& rules = get_array(spec, "rules");
  const json::value* fallback = member(spec, "defaultBackend");
  if (rules.empty() && fallback == nullptr) {
    errors.invalid(path, spec, "either `defaultBackend` or `rules` must be specified");
  }
  if (fallback != nullptr) {
    backend(*fallback, path.child("defaultBackend"), errors);
  }
  std::size_t index = 0;
  for (const json::value& rule : rules) {
    const FieldPath at = path.child("rules").index(index++);
    if (std::string_view host = text_of(rule, "host"); !host.empty()) {
      if (host.starts_with("*.")) {
        host.remove_prefix(2);
      }
      checks::dns_subdomain(host, at.child("host"), errors);
    }
    const json::value* http = member(rule, "http");
    if (http == nullptr) {
      continue;
    }
    const json::array& paths = get_array(*http, "paths");
    if (paths.empty()) {
      errors.required(at.child("http").child("paths"));
    }
    std::size_t i = 0;
    for (const json::value& entry : paths) {
      ingress_path(entry, at.child("http").child("paths").index(i++), errors);
    }
  }
  if (const auto name = text_of(spec, "ingressClassName"); !name.empty()) {
    checks::dns_subdomain(name, path.child("ingressClassName"), errors);
  }
}

void network_policy(const json::value& object, const json::value*, FieldErrors& errors) {
  const json::value& spec = child_or_empty(object, "spec");
  const FieldPath path("spec");
  if (const json::value* selector = member(spec, "podSelector")) {
    validate_label_selector(selector, path.child("podSelector"), errors);
  }
  for (const auto& [direction, peers] : {std::pair{"ingress", "from"}, std::pair{"egress", "to"}}) {
    std::size_t index = 0;
    for (const json::value& rule : get_array(spec, direction)) {
      const FieldPath at = path.child(direction).index(index++);
      policy_ports(rule, at, errors);
      policy_peers(rule, peers, at, errors);
    }
  }
  std::size_t index = 0;
  for (const json::value& type : get_array(spec, "policyTypes")) {
    const FieldPath at = path.child("policyTypes").index(index++);
    if (type != json::value("Ingress") && type != json::value("Egress")) {
      errors.not_supported(at, type, {"Egress", "Ingress"});
    }
  }
}

void role(const json::value& object, const json::value*, FieldErrors& errors) {
  rules(object, true, errors);
}

void cluster_role(const json::value& object, const json::value*, FieldErrors& errors) {
  rules(object, false, errors);
}

void role_binding(const json::value& object, const json::value* old, FieldErrors& errors) {
  const bool namespaced = kind_of(object) == "RoleBinding";
  const json::value& role = child_or_empty(object, "roleRef");
  const FieldPath path("roleRef");
  if (text_of(role, "apiGroup") != kRbac) {
    errors.not_supported(path.child("apiGroup"), checks::text_value(text_of(role, "apiGroup")),
                         {std::string(kRbac)});
  }
  const std::string_view kind = text_of(role, "kind");
  if (kind != "ClusterRole" && !(namespaced && kind == "Role")) {
    std::vector<std::string> supported = {"ClusterRole"};
    if (namespaced) {
      supported.insert(supported.begin(), "Role");
    }
    errors.not_supported(path.child("kind"), checks::text_value(kind), supported);
  }
  if (checks::required_text(role, "name", path, errors)) {
    errors.invalid_each(path.child("name"), *member(role, "name"),
                        check_path_segment_name(text_of(role, "name")));
  }
  std::size_t index = 0;
  for (const json::value& entry : get_array(object, "subjects")) {
    subject(entry, namespaced, FieldPath("subjects").index(index++), errors);
  }
  if (old != nullptr && !checks::same(&role, member(*old, "roleRef"))) {
    errors.invalid(path, as_go_struct(role, "RoleRef"), "cannot change roleRef");
  }
}

}  // namespace coracle::api::validation
