// HorizontalPodAutoscaler: autoscaling/v2, in which both versions are stored and checked.
#include <algorithm>
#include <set>
#include <string>

#include "api/object.hpp"
#include "api/quantity.hpp"
#include "api/validation/checks.hpp"
#include "api/validation/validation.hpp"

namespace coracle::api::validation {
namespace {

using checks::child_or_empty;
using checks::member;
using checks::text_of;

void segment(const json::value& object, std::string_view key, const FieldPath& path,
             FieldErrors& errors, std::string_view detail = {}) {
  if (checks::required_text(object, key, path, errors, detail)) {
    errors.invalid_each(path.child(key), text_of(object, key),
                        check_path_segment_name(text_of(object, key)));
  }
}

void reference(const json::value& target, const FieldPath& path, FieldErrors& errors) {
  segment(target, "kind", path, errors);
  segment(target, "name", path, errors);
  const std::string_view version = text_of(target, "apiVersion");
  if (std::ranges::count(version, '/') > 1) {
    errors.invalid(path.child("apiVersion"), version,
                   "unexpected GroupVersion string: " + std::string(version));
  }
}

bool is_positive(const json::value& amount) {
  if (amount.is_int64()) return amount.get_int64() > 0;
  if (!amount.is_string()) return false;
  const auto parsed = Quantity::parse(amount.get_string());
  return parsed.ok() && parsed->sign() > 0;
}

void metric_target(const json::value& target, const FieldPath& path, FieldErrors& errors) {
  const std::string_view type = text_of(target, "type");
  if (type.empty()) errors.required(path.child("type"), "must specify a metric target type");
  if (type != "Utilization" && type != "Value" && type != "AverageValue") {
    errors.invalid(path.child("type"), type, "must be either Utilization, Value, or AverageValue");
  }
  for (const std::string_view key : {"value", "averageValue"}) {
    const json::value* amount = member(target, key);
    if (amount != nullptr && !is_positive(*amount)) {
      errors.invalid(path.child(key), *amount, "must be positive");
    }
  }
  const json::value* share = member(target, "averageUtilization");
  if (share != nullptr && share->is_int64() && share->get_int64() < 1) {
    errors.invalid(path.child("averageUtilization"), *share, checks::kPositive);
  }
}

// What the kinds of sources want of their target: one of `either`, or neither more than one.
struct Wanted {
  std::string_view first, second;  // second may be ""
  std::string_view missing_at, missing, both_at, both;
};

Wanted wanted_of(std::string_view source) {
  if (source == "object") {
    return {"value",
            "averageValue",
            "averageValue",
            "must set either a target value or averageValue",
            "",
            ""};
  }
  if (source == "external") {
    return {"value",        "averageValue",
            "averageValue", "must set either a target value for metric or a per-pod target",
            "value",        "may not set both a target value for metric and a per-pod target"};
  }
  if (source == "pods") {
    return {
        "averageValue", "", "averageValue", "must specify a positive target averageValue", "", ""};
  }
  return {"averageUtilization", "averageValue",
          "averageUtilization", "must set either a target raw value or a target utilization",
          "averageValue",       "may not set both a target raw value and a target utilization"};
}

void metric_source(std::string_view kind, const json::value& source, const FieldPath& path,
                   FieldErrors& errors) {
  if (kind == "object") {
    reference(child_or_empty(source, "describedObject"), path.child("describedObject"), errors);
  }
  if (kind == "object" || kind == "external" || kind == "pods") {
    segment(child_or_empty(source, "metric"), "name", path.child("metric"), errors,
            "must specify a metric name");
  } else {
    checks::required_text(source, "name", path, errors, "must specify a resource name");
  }
  if (kind == "containerResource" &&
      checks::required_text(source, "container", path, errors, "must specify a container")) {
    checks::dns_label(text_of(source, "container"), path.child("container"), errors);
  }
  const FieldPath at = path.child("target");
  const json::value& target = child_or_empty(source, "target");
  metric_target(target, at, errors);
  const Wanted wanted = wanted_of(kind);
  const bool first = member(target, wanted.first) != nullptr;
  const bool second = !wanted.second.empty() && member(target, wanted.second) != nullptr;
  if (!first && !second) errors.required(at.child(wanted.missing_at), wanted.missing);
  if (first && second && !wanted.both.empty()) {
    errors.forbidden(at.child(wanted.both_at), wanted.both);
  }
}

void metric(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  static const std::vector<std::string> kTypes = {"ContainerResource", "External", "Object", "Pods",
                                                  "Resource"};
  const std::string_view type = text_of(spec, "type");
  const bool known = std::ranges::find(kTypes, type) != kTypes.end();
  if (type.empty()) errors.required(path.child("type"), "must specify a metric source type");
  if (!known) errors.not_supported(path.child("type"), type, kTypes);
  std::vector<std::string_view> present;
  for (const std::string_view kind :
       {"object", "external", "pods", "resource", "containerResource"}) {
    const json::value* source = member(spec, kind);
    if (source == nullptr) continue;
    present.push_back(kind);
    if (present.size() == 1) metric_source(kind, *source, path.child(kind), errors);
  }
  std::string expected(type);
  if (known) {
    expected.front() = static_cast<char>(expected.front() - 'A' + 'a');
    if (member(spec, expected) == nullptr) {
      errors.required(path.child(expected),
                      "must populate information for the given metric source");
    }
  } else {
    errors.not_supported(path.child("type"), type, kTypes);
    expected.clear();
  }
  if (present.size() == 1) return;
  for (const std::string_view kind : present) {
    if (kind != expected) {
      errors.forbidden(path.child(kind), "must populate the given metric source only");
    }
  }
}

void scaling_policy(const json::value& policy, const FieldPath& path, FieldErrors& errors) {
  constexpr std::int64_t kPeriodMax = 1800;
  const std::string_view type = text_of(policy, "type");
  if (type != "Pods" && type != "Percent") {
    errors.not_supported(path.child("type"), type, {"Percent", "Pods"});
  }
  for (const std::string_view key : {"value", "periodSeconds"}) {
    if (get_int(policy, key) <= 0) {
      errors.invalid(path.child(key), get_int(policy, key), "must be greater than zero");
    }
  }
  if (get_int(policy, "periodSeconds") > kPeriodMax) {
    errors.invalid(path.child("periodSeconds"), get_int(policy, "periodSeconds"),
                   "must be less than or equal to 1800");
  }
}

void scaling_rules(const json::value& rules, const FieldPath& path, FieldErrors& errors) {
  constexpr std::int64_t kWindowMax = 3600;
  if (const json::value* window = member(rules, "stabilizationWindowSeconds")) {
    const FieldPath at = path.child("stabilizationWindowSeconds");
    const std::int64_t seconds = get_int(rules, "stabilizationWindowSeconds");
    if (seconds < 0) errors.invalid(at, *window, "must be greater than or equal to zero");
    if (seconds > kWindowMax) errors.invalid(at, *window, "must be less than or equal to 3600");
  }
  checks::one_of_if_set(rules, "selectPolicy", path, {"Disabled", "Max", "Min"}, errors);
  const FieldPath at = path.child("policies");
  const json::array& policies = get_array(rules, "policies");
  if (policies.empty()) errors.required(at, "must specify at least one Policy");
  std::size_t index = 0;
  for (const json::value& policy : policies) scaling_policy(policy, at.index(index++), errors);
  const json::value* tolerance = member(rules, "tolerance");
  if (tolerance != nullptr && tolerance->is_string()) {
    const auto amount = Quantity::parse(tolerance->get_string());
    if (amount.ok() && amount->sign() < 0) {
      errors.invalid(path.child("tolerance"), *tolerance, checks::kNotNegative);
    }
  }
}

}  // namespace

void autoscaler(const json::value& object, const json::value*, FieldErrors& errors) {
  const json::value& spec = child_or_empty(object, "spec");
  const FieldPath path("spec");
  const json::value* least = member(spec, "minReplicas");
  const std::int64_t most = get_int(spec, "maxReplicas");
  if (least != nullptr && get_int(spec, "minReplicas") < 1) {
    errors.invalid(path.child("minReplicas"), *least, "must be greater than or equal to 1");
  }
  if (most < 1) errors.invalid(path.child("maxReplicas"), most, checks::kPositive);
  if (least != nullptr && most < get_int(spec, "minReplicas")) {
    errors.invalid(path.child("maxReplicas"), most,
                   "must be greater than or equal to `minReplicas`");
  }
  reference(child_or_empty(spec, "scaleTargetRef"), path.child("scaleTargetRef"), errors);
  std::size_t index = 0;
  bool elsewhere = false;
  for (const json::value& one : get_array(spec, "metrics")) {
    metric(one, path.child("metrics").index(index++), errors);
    elsewhere = elsewhere || text_of(one, "type") == "Object" || text_of(one, "type") == "External";
  }
  if (least != nullptr && get_int(spec, "minReplicas", 1) == 0 && !elsewhere) {
    errors.forbidden(path.child("metrics"),
                     "must specify at least one Object or External metric to support scaling to "
                     "zero replicas");
  }
  for (const std::string_view key : {"scaleUp", "scaleDown"}) {
    const json::value* rules = member(child_or_empty(spec, "behavior"), key);
    if (rules != nullptr) scaling_rules(*rules, path.child("behavior", key), errors);
  }
}

void autoscaler_status(const json::value& object, const json::value&, FieldErrors& errors) {
  checks::non_negative(child_or_empty(object, "status"), {"currentReplicas", "desiredReplicas"},
                       FieldPath("status"), errors);
}

}  // namespace coracle::api::validation
