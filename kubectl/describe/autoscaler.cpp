// HorizontalPodAutoscaler
#include "api/object.hpp"
#include "describe/describe.hpp"
#include "describe/workload_parts.hpp"

namespace coracle::kubectl {
namespace {

constexpr char kUnknown[] = "<unknown>";

// What the status says of the metric: a value of `current`.
std::string current_of(const json::value* status, const char* source, const char* field) {
  if (status == nullptr) return kUnknown;
  const json::value shown = get_object(*status, source);
  const json::value* value = find(shown, std::string("current.") + field);
  return value == nullptr ? kUnknown : text_at(shown, std::string("current.") + field);
}

// "50% (100m)"
std::string utilization_of(const json::value* status, const char* source) {
  const std::string percent = current_of(status, source, "averageUtilization");
  if (percent == kUnknown) return kUnknown;
  return percent + "% (" + current_of(status, source, "averageValue") + ")";
}

std::string resource_line(const json::value& spec, const json::value* status, const char* field,
                          const std::string& what) {
  const json::value source = get_object(spec, field);
  const std::string average = text_at(source, "target.averageValue");
  if (!average.empty()) {
    return what + ":\t" + current_of(status, field, "averageValue") + " / " + average;
  }
  const std::string percent = text_at(source, "target.averageUtilization");
  return what + "  (as a percentage of request):\t" + utilization_of(status, field) + " / " +
         (percent.empty() ? "<auto>" : percent + "%");
}

std::string quoted_name(const json::value& source) {
  return "\"" + text_at(source, "metric.name") + "\"";
}

// Of an object or from outside: a share for each pod, or one value.
std::string value_line(const json::value& source, const json::value* status, const char* field,
                       const std::string& what) {
  const std::string average = text_at(source, "target.averageValue");
  if (!average.empty()) {
    return what + " (target average value):\t" + current_of(status, field, "averageValue") + " / " +
           average;
  }
  return what + " (target value):\t" + current_of(status, field, "value") + " / " +
         text_at(source, "target.value");
}

std::string metric_line(const json::value& spec, const json::value* status) {
  const std::string type = text_at(spec, "type");
  if (type == "Resource") {
    return resource_line(spec, status, "resource",
                         "resource " + text_at(spec, "resource.name") + " on pods");
  }
  if (type == "ContainerResource") {
    return resource_line(spec, status, "containerResource",
                         "resource " + text_at(spec, "containerResource.name") +
                             " of container \"" + text_at(spec, "containerResource.container") +
                             "\" on pods");
  }
  if (type == "Pods") {
    const json::value source = get_object(spec, "pods");
    return quoted_name(source) + " on pods:\t" + current_of(status, "pods", "averageValue") +
           " / " + text_at(source, "target.averageValue");
  }
  if (type == "Object") {
    const json::value source = get_object(spec, "object");
    return value_line(source, status, "object",
                      quoted_name(source) + " on " + text_at(source, "describedObject.kind") + "/" +
                          text_at(source, "describedObject.name"));
  }
  if (type == "External") {
    const json::value source = get_object(spec, "external");
    return value_line(source, status, "external", quoted_name(source));
  }
  return "<unknown metric type \"" + type + "\">";
}

void write_direction(DescribeWriter& out, const char* title, const json::value* rules) {
  if (rules == nullptr) return;
  out.line(1, std::string(title) + ":");
  const std::string window = text_at(*rules, "stabilizationWindowSeconds");
  if (!window.empty()) out.line(2, "Stabilization Window: " + window + " seconds");
  const json::array& policies = get_array(*rules, "policies");
  if (policies.empty()) return;
  out.line(2, "Select Policy: " + std::string(get_string(*rules, "selectPolicy", "Max")));
  out.line(2, "Policies:");
  for (const json::value& policy : policies) {
    out.line(3, "- Type: " + text_at(policy, "type") + "\tValue: " + text_at(policy, "value") +
                    "\tPeriod: " + text_at(policy, "periodSeconds") + " seconds");
  }
}

}  // namespace

void describe_autoscaler(DescribeWriter& out, const DescribeContext& context) {
  const json::value& object = context.object;
  write_head(out, object);
  out.field(0, "CreationTimestamp", long_time(api::creation_timestamp_of(object)));
  const std::string kind = text_at(object, "spec.scaleTargetRef.kind");
  out.field(0, "Reference", kind + "/" + text_at(object, "spec.scaleTargetRef.name"));
  out.line(0, "Metrics:\t( current / target )");
  const json::array& shown = get_array(object, "status.currentMetrics");
  size_t i = 0;
  for (const json::value& spec : get_array(object, "spec.metrics")) {
    out.line(1, metric_line(spec, i < shown.size() ? &shown[i] : nullptr));
    ++i;
  }
  out.field(0, "Min replicas", number_or(object, "spec.minReplicas", "<unset>"));
  out.field(0, "Max replicas", number(object, "spec.maxReplicas"));
  if (find(object, "spec.behavior") != nullptr) {
    out.line(0, "Behavior:");
    write_direction(out, "Scale Up", find(object, "spec.behavior.scaleUp"));
    write_direction(out, "Scale Down", find(object, "spec.behavior.scaleDown"));
  }
  out.field(0, kind + " pods",
            number(object, "status.currentReplicas") + " current / " +
                number(object, "status.desiredReplicas") + " desired");
  const json::array& conditions = get_array(object, "status.conditions");
  if (conditions.empty()) return;
  out.line(0, "Conditions:");
  out.line(1, "Type\tStatus\tReason\tMessage");
  out.line(1, "----\t------\t------\t-------");
  for (const json::value& c : conditions) {
    out.line(1, text_at(c, "type") + "\t" + text_at(c, "status") + "\t" + text_at(c, "reason") +
                    "\t" + text_at(c, "message"));
  }
}

}  // namespace coracle::kubectl
