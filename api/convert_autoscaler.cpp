// HorizontalPodAutoscaler: autoscaling/v1 knows one CPU target, v2 a list of metrics. What v1
// cannot say travels in annotations, so that a client of v1 does not destroy it.
#include "api/convert_autoscaler.hpp"

namespace coracle::api {

namespace {

constexpr std::string_view kMetrics = "autoscaling.alpha.kubernetes.io/metrics";
constexpr std::string_view kBehavior = "autoscaling.alpha.kubernetes.io/behavior";
constexpr std::string_view kTarget = "targetCPUUtilizationPercentage";
constexpr std::string_view kCurrent = "currentCPUUtilizationPercentage";

bool is_cpu_utilization(const json::value& metric) {
  return get_string(metric, "type") == "Resource" && get_string(metric, "resource.name") == "cpu" &&
         find(metric, "resource.target.averageUtilization") != nullptr;
}

json::object cpu_metric(std::string_view member, const json::value& percent) {
  json::object value;
  if (member == "target") value["type"] = "Utilization";
  value["averageUtilization"] = percent;
  json::object resource;
  resource["name"] = "cpu";
  resource[member] = std::move(value);
  json::object metric;
  metric["type"] = "Resource";
  metric["resource"] = std::move(resource);
  return metric;
}

// Takes a member out of an object.
bool take(json::object& from, std::string_view name, json::value& out) {
  json::value* member = find_member(from, name);
  if (member == nullptr) return false;
  out = std::move(*member);
  return erase_key(from, name);
}

// The annotation's JSON, taken off; false when it is missing or no JSON.
bool take_annotation(json::value& object, std::string_view name, json::value& out) {
  json::value text;
  json::object& metadata = make_object(object, "metadata");
  json::object& annotations = make_object(object, "metadata.annotations");
  const bool found = take(annotations, name, text) && text.is_string();
  if (annotations.empty()) erase_key(metadata, "annotations");
  if (!found) return false;
  Result<json::value> value = parse_json(text.as_string());
  if (!value.ok()) return false;
  out = std::move(*value);
  return true;
}

}  // namespace

void autoscaler_to_v1(json::value& object) {
  json::object& spec = make_object(object, "spec");
  json::value metrics;
  json::array others;
  if (take(spec, "metrics", metrics) && metrics.is_array()) {
    for (json::value& metric : metrics.as_array()) {
      if (!spec.contains(kTarget) && is_cpu_utilization(metric)) {
        spec[kTarget] = *find(metric, "resource.target.averageUtilization");
      } else {
        others.push_back(std::move(metric));
      }
    }
  }
  if (!others.empty()) {
    make_object(object, "metadata.annotations")[kMetrics] = to_json(json::value(others));
  }
  json::value behavior;
  if (take(spec, "behavior", behavior)) {
    make_object(object, "metadata.annotations")[kBehavior] = to_json(behavior);
  }
  if (find(object, "status") == nullptr) return;
  json::object& status = make_object(object, "status");
  json::value current;
  if (take(status, "currentMetrics", current) && current.is_array()) {
    for (const json::value& metric : current.as_array()) {
      const json::value* percent = find(metric, "resource.current.averageUtilization");
      if (percent != nullptr && get_string(metric, "resource.name") == "cpu") {
        status[kCurrent] = *percent;
      }
    }
  }
  erase_key(status, "conditions");
}

void autoscaler_from_v1(json::value& object) {
  json::object& spec = make_object(object, "spec");
  json::array metrics;
  json::value percent;
  if (take(spec, kTarget, percent)) metrics.push_back(cpu_metric("target", percent));
  json::value others;
  if (take_annotation(object, kMetrics, others) && others.is_array()) {
    for (json::value& metric : others.as_array()) metrics.push_back(std::move(metric));
  }
  if (!metrics.empty()) spec["metrics"] = std::move(metrics);
  json::value behavior;
  if (take_annotation(object, kBehavior, behavior)) spec["behavior"] = std::move(behavior);
  if (find(object, "status") == nullptr) return;
  json::object& status = make_object(object, "status");
  if (take(status, kCurrent, percent)) {
    json::array current;
    current.push_back(cpu_metric("current", percent));
    status["currentMetrics"] = std::move(current);
  }
}

}  // namespace coracle::api
