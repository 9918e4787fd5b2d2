// ResourceQuota and LimitRange.
#include <map>
#include <optional>
#include <set>
#include <string>

#include "api/validation/checks.hpp"
#include "api/validation/resources.hpp"
#include "api/validation/validation.hpp"
#include "base/strings.hpp"

namespace coracle::api::validation {
namespace {

using checks::member;
using checks::text_of;

const json::value& spec_of(const json::value& object) {
  static const json::value kNothing = json::object();
  const json::value* spec = member(object, "spec");
  return spec == nullptr ? kNothing : *spec;
}

void amounts(const json::value& holder, std::string_view key, const FieldPath& path,
             FieldErrors& errors) {
  const json::object& list = get_object(holder, key);
  for (const std::string& name : checks::sorted_names(list)) {
    const FieldPath at = path.child(key).key(name);
    resource::quota_name(name, at, errors);
    if (const auto amount = resource::amount_of(find_member(list, name))) {
      resource::amount(name, *amount, at, errors);
    }
  }
}

bool is_scope(std::string_view scope) {
  static const std::set<std::string_view> kScopes = {"Terminating",
                                                     "NotTerminating",
                                                     "BestEffort",
                                                     "NotBestEffort",
                                                     "PriorityClass",
                                                     "VolumeAttributesClass",
                                                     "CrossNamespacePodAffinity"};
  return kScopes.contains(scope);
}

bool is_pod_amount(std::string_view name) {
  static const std::set<std::string_view> kNames = {
      "pods", "cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"};
  return kNames.contains(name);
}

// Whether a scope says anything about what the resource counts.
bool fits(std::string_view scope, std::string_view name) {
  if (scope == "BestEffort") {
    return name == "pods";
  }
  if (scope == "VolumeAttributesClass") {
    return name == "persistentvolumeclaims" || name == "requests.storage";
  }
  return !is_scope(scope) || is_pod_amount(name);
}

void scope_fits(const json::value& spec, std::string_view scope, const json::value& shown,
                const FieldPath& path, FieldErrors& errors) {
  for (const std::string& name : checks::sorted_names(get_object(spec, "hard"))) {
    if (resource::is_standard_quota(name) && !fits(scope, name)) {
      errors.invalid(path, shown, "unsupported scope applied to resource");
    }
  }
}

void conflicts(const std::set<std::string, std::less<>>& scopes, const json::value& shown,
               const FieldPath& path, FieldErrors& errors) {
  for (const std::string_view scope : {"BestEffort", "Terminating"}) {
    if (scopes.contains(scope) && scopes.contains("Not" + std::string(scope))) {
      errors.invalid(path, shown, "conflicting scopes");
    }
  }
}

void scopes(const json::value& spec, FieldErrors& errors) {
  const FieldPath path = FieldPath("spec").child("scopes");
  const json::value shown = checks::value_or_null(member(spec, "scopes"));
  std::set<std::string, std::less<>> seen;
  for (const json::value& scope : get_array(spec, "scopes")) {
    const std::string_view text =
        scope.is_string() ? std::string_view(scope.get_string()) : std::string_view();
    if (!is_scope(text)) {
      errors.invalid(path, shown, "unsupported scope");
    }
    scope_fits(spec, text, shown, path, errors);
    seen.emplace(text);
  }
  conflicts(seen, shown, path, errors);
}

void scope_operator(const json::value& rule, const FieldPath& path, FieldErrors& errors) {
  const std::string_view scope = text_of(rule, "scopeName");
  const std::string_view op = text_of(rule, "operator");
  const json::array& values = get_array(rule, "values");
  const bool valueless =
      is_scope(scope) && scope != "PriorityClass" && scope != "VolumeAttributesClass";
  if (valueless && op != "Exists") {
    errors.invalid(path.child("operator"), op,
                   "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, "
                   "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, "
                   "ResourceQuotaScopeNotBestEffort or "
                   "ResourceQuotaScopeCrossNamespacePodAffinity");
  }
  if (op == "In" || op == "NotIn") {
    if (values.empty()) {
      errors.required(path.child("values"),
                      "must be at least one value when `operator` is 'In' or 'NotIn' for scope "
                      "selector");
    }
  } else if (op == "Exists" || op == "DoesNotExist") {
    if (!values.empty()) {
      errors.invalid(path.child("values"), values,
                     "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope "
                     "selector");
    }
  } else {
    errors.invalid(path.child("operator"), op, "not a valid selector operator");
  }
}

// Upstream prints its own struct.
json::value shown_selector(const json::value& spec) {
  json::array rules;
  for (const json::value& rule : get_array(spec, "scopeSelector.matchExpressions")) {
    rules.push_back(checks::go_struct(rule, {"scopeName", "operator", "values"}));
  }
  return json::object({{"MatchExpressions", std::move(rules)}});
}

void scope_selector(const json::value& spec, FieldErrors& errors) {
  const FieldPath path = FieldPath("spec").child("scopeSelector").child("matchExpressions");
  std::set<std::string, std::less<>> seen;
  for (const json::value& rule : get_array(spec, "scopeSelector.matchExpressions")) {
    const std::string_view scope = text_of(rule, "scopeName");
    if (!is_scope(scope)) {
      errors.invalid(path.child("scopeName"), scope, "unsupported scope");
    }
    scope_fits(spec, scope, shown_selector(spec), path, errors);
    scope_operator(rule, path, errors);
    seen.emplace(scope);
  }
  conflicts(seen, checks::value_or_null(member(spec, "scopes")), path, errors);
}

// Of one limit: every bound of one resource against the others.
struct Bounds {
  std::optional<Quantity> min, max, normal, request, ratio;
};

void compare(const std::string& name, const Bounds& b, const FieldPath& path, FieldErrors& errors) {
  const auto greater = [&](std::string_view list, const std::optional<Quantity>& low,
                           const std::optional<Quantity>& high,
                           const std::optional<Quantity>& shown, std::string_view low_name,
                           std::string_view high_name) {
    if (low && high && *low > *high) {
      errors.invalid(path.child(list).key(name), shown->text(),
                     std::string(low_name) + " value " + low->text() + " is greater than " +
                         std::string(high_name) + " value " + high->text());
    }
  };
  greater("min", b.min, b.max, b.min, "min", "max");
  greater("defaultRequest", b.min, b.request, b.request, "min", "default request");
  greater("defaultRequest", b.request, b.max, b.request, "default request", "max");
  greater("defaultRequest", b.request, b.normal, b.request, "default request", "default limit");
  greater("default", b.min, b.normal, b.min, "min", "default");
  greater("default", b.normal, b.max, b.max, "default", "max");
  const FieldPath ratio_path = path.child("maxLimitRequestRatio").key(name);
  if (b.ratio && *b.ratio < Quantity::from_units(1)) {
    errors.invalid(ratio_path, b.ratio->text(), "ratio " + b.ratio->text() + " is less than 1");
  }
  if (b.ratio && b.min && b.max) {
    const double limit = b.max->as_double() / b.min->as_double();
    if (b.ratio->as_double() > limit) {
      errors.invalid(
          ratio_path, b.ratio->text(),
          "ratio " + b.ratio->text() + " is greater than max/min = " + std::to_string(limit));
    }
  }
  if (!resource::is_overcommit_allowed(name) && b.normal && b.request &&
      !(*b.normal == *b.request)) {
    errors.invalid(path.child("defaultRequest").key(name), b.request->text(),
                   "default value " + b.normal->text() + " must equal to defaultRequest value " +
                       b.request->text() + " in " + name);
  }
}

void limit_type(const json::value& item, const FieldPath& path, FieldErrors& errors) {
  const std::string_view type = text_of(item, "type");
  const Messages messages = check_qualified_name(type);
  errors.invalid_each(path, type, messages);
  if (messages.empty() && type.find('/') == std::string_view::npos && type != "Pod" &&
      type != "Container" && type != "PersistentVolumeClaim") {
    errors.invalid(path, type, "must be a standard limit type or fully qualified");
  }
}

void limit(const json::value& item, const FieldPath& path, FieldErrors& errors) {
  const std::string_view type = text_of(item, "type");
  const bool of_pods = type == "Pod" || type == "Container";
  std::map<std::string, Bounds> bounds;
  const auto collect = [&](std::string_view key, std::optional<Quantity> Bounds::* slot) {
    const json::object& list = get_object(item, key);
    for (const std::string& name : checks::sorted_names(list)) {
      const FieldPath at = path.child(key).key(name);
      of_pods ? resource::container_name(name, at, errors) : resource::any_name(name, at, errors);
      bounds[name].*slot = resource::amount_of(find_member(list, name));
    }
  };
  collect("max", &Bounds::max);
  collect("min", &Bounds::min);
  if (type == "Pod") {
    for (const std::string_view key : {"default", "defaultRequest"}) {
      if (!get_object(item, key).empty()) {
        errors.forbidden(path.child(key), "may not be specified when `type` is 'Pod'");
      }
    }
  } else {
    collect("default", &Bounds::normal);
    collect("defaultRequest", &Bounds::request);
  }
  if (type == "PersistentVolumeClaim" && !bounds["storage"].min && !bounds["storage"].max) {
    errors.required(path.child("limits"),
                    "either minimum or maximum storage value is required, but neither was "
                    "provided");
  }
  collect("maxLimitRequestRatio", &Bounds::ratio);
  for (const auto& [name, bound] : bounds) {
    compare(name, bound, path, errors);
  }
}

bool same_scopes(const json::value& a, const json::value& b) {
  const auto set_of = [](const json::value& spec) {
    std::set<std::string> out;
    for (const json::value& scope : get_array(spec, "scopes")) {
      out.insert(to_json(scope));
    }
    return out;
  };
  return set_of(a) == set_of(b);
}

}  // namespace

void resource_quota(const json::value& object, const json::value* old, FieldErrors& errors) {
  const json::value& spec = spec_of(object);
  amounts(spec, "hard", FieldPath("spec"), errors);
  scopes(spec, errors);
  scope_selector(spec, errors);
  if (old == nullptr) {
    if (const json::value* status = member(object, "status")) {
      amounts(*status, "hard", FieldPath("status"), errors);
      amounts(*status, "used", FieldPath("status"), errors);
    }
  } else if (!same_scopes(spec, spec_of(*old))) {
    errors.invalid(FieldPath("spec").child("scopes"), checks::value_or_null(member(spec, "scopes")),
                   checks::kImmutable);
  }
}

void limit_range(const json::value& object, const json::value*, FieldErrors& errors) {
  std::set<std::string, std::less<>> types;
  std::size_t index = 0;
  for (const json::value& item : get_array(object, "spec.limits")) {
    const FieldPath at = FieldPath("spec").child("limits").index(index++);
    limit_type(item, at.child("type"), errors);
    if (!types.emplace(text_of(item, "type")).second) {
      errors.duplicate(at.child("type"), text_of(item, "type"));
    }
    limit(item, at, errors);
  }
}

}  // namespace coracle::api::validation
