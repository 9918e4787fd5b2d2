// PodDisruptionBudget and the rbac kinds.
#include <string>

#include "api/validation/checks.hpp"
#include "api/validation/go_structs.hpp"
#include "api/validation/validation.hpp"

namespace coracle::api::validation {
namespace {

using checks::child_or_empty;
using checks::member;
using checks::text_of;

constexpr std::string_view kRbac = "rbac.authorization.k8s.io";

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
                         {"ServiceAccount", "User", "Group"});
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

void role(const json::value& object, const json::value*, FieldErrors& errors) {
  rules(object, true, errors);
}

void cluster_role(const json::value& object, const json::value*, FieldErrors& errors) {
  rules(object, false, errors);
  if (member(object, "aggregationRule") == nullptr) return;
  const FieldPath path = FieldPath("aggregationRule").child("clusterRoleSelectors");
  const json::array& selectors = get_array(object, "aggregationRule.clusterRoleSelectors");
  if (selectors.empty()) {
    errors.required(path,
                    "at least one clusterRoleSelector required if aggregationRule is non-nil");
  }
  std::size_t index = 0;
  for (const json::value& selector : selectors) {
    validate_label_selector(&selector, path.index(index++), errors);
  }
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
