#include <string>

#include "api/defaults/defaults.hpp"
#include "api/defaults/fill.hpp"
#include "base/encoding.hpp"

namespace coracle::api::defaults {
namespace {

constexpr std::string_view kRbacGroup = "rbac.authorization.k8s.io";

}  // namespace

void set_namespace(json::object& object) {
  json::object* metadata = child(object, "metadata");
  if (metadata == nullptr || text(*metadata, "name").empty()) {
    return;
  }
  const json::string name(text(*metadata, "name"));
  // Not a default but a promise: selectors rely on the label being the name.
  if (json::object* labels = child_default(*metadata, "labels")) {
    (*labels)["kubernetes.io/metadata.name"] = name;
  }
}

void prepare_namespace_create(json::object& object) {
  json::object status;
  status["phase"] = "Active";
  object["status"] = std::move(status);
  json::object* spec = child_default(object, "spec");
  if (spec == nullptr) {
    return;
  }
  json::value& finalizers = (*spec)["finalizers"];
  json::array& list = finalizers.is_array() ? finalizers.get_array() : finalizers.emplace_array();
  for (const json::value& present : list) {
    if (present.is_string() && present.get_string() == "kubernetes") {
      return;
    }
  }
  list.emplace_back("kubernetes");
}

void prepare_namespace_update(json::object& object, const json::value& old) {
  json::object* spec = child_default(object, "spec");
  const json::value* finalizers = find(old, "spec.finalizers");
  if (spec == nullptr) {
    return;
  }
  if (finalizers == nullptr) {
    erase_key(*spec, "finalizers");
  } else {
    (*spec)["finalizers"] = *finalizers;
  }
}

void set_node(json::object& object) {
  json::object* status = child(object, "status");
  const json::object* capacity = status == nullptr ? nullptr : child(*status, "capacity");
  if (capacity != nullptr && !capacity->empty()) {
    const json::object copy = *capacity;
    set_default(*status, "allocatable", copy);
  }
}

void set_secret(json::object& object) {
  set_text_default(object, "type", "Opaque");
  const json::object* plain = child(object, "stringData");
  if (plain == nullptr) {
    return;
  }
  const json::object values = *plain;
  erase_key(object, "stringData");
  if (values.empty()) {
    return;
  }
  if (json::object* data = child_default(object, "data")) {
    for (const auto& [key, value] : values) {
      if (value.is_string()) {
        (*data)[key] = base64_encode(std::string_view(value.get_string()));
      }
    }
  }
}

void set_limit_range(json::object& object) {
  json::object* spec = child(object, "spec");
  if (spec == nullptr) {
    return;
  }
  const auto inherit = [](json::object& item, std::string_view to, std::string_view from) {
    const json::object* source = child(item, from);
    if (source == nullptr || source->empty()) {
      return;
    }
    const json::object copy = *source;
    if (json::object* target = child_default(item, to)) {
      for (const auto& [name, amount] : copy) {
        set_default(*target, name, amount);
      }
    }
  };
  each_object(*spec, "limits", [&inherit](json::object& item) {
    if (text(item, "type") == "Container") {
      inherit(item, "default", "max");
      inherit(item, "defaultRequest", "default");
      inherit(item, "defaultRequest", "min");
    }
  });
}

void set_priority_class(json::object& object) {
  set_text_default(object, "preemptionPolicy", "PreemptLowerPriority");
}

void set_role_binding(json::object& object) {
  if (json::object* role = child(object, "roleRef")) {
    set_text_default(*role, "apiGroup", kRbacGroup);
  }
  each_object(object, "subjects", [](json::object& subject) {
    const std::string_view kind = text(subject, "kind");
    if (kind == "User" || kind == "Group") {
      set_text_default(subject, "apiGroup", kRbacGroup);
    }
  });
}

namespace {

// What spec.behavior leaves open, once it says anything.
void set_scaling_rules(json::object& behavior, std::string_view direction,
                       std::string_view defaults) {
  json::object* rules = child_default(behavior, direction);
  auto filled = parse_json(defaults);
  if (rules == nullptr || !filled.ok()) {
    return;
  }
  for (const auto& [key, value] : filled->get_object()) {
    set_default(*rules, key, value);
  }
}

}  // namespace

void set_autoscaler(json::object& object) {
  json::object* spec = child(object, "spec");
  if (spec == nullptr) {
    return;
  }
  if (json::object* behavior = child(*spec, "behavior")) {
    set_scaling_rules(*behavior, "scaleUp",
                      R"({"stabilizationWindowSeconds":0,"selectPolicy":"Max","policies":[
                          {"type":"Pods","value":4,"periodSeconds":15},
                          {"type":"Percent","value":100,"periodSeconds":15}]})");
    set_scaling_rules(*behavior, "scaleDown",
                      R"({"selectPolicy":"Max","policies":[
                          {"type":"Percent","value":100,"periodSeconds":15}]})");
  }
  set_default(*spec, "minReplicas", 1);
  // autoscaling/v1 says it with one number; only v2 has a list of metrics.
  if (text(object, "apiVersion") != "autoscaling/v2" || has(*spec, "metrics")) {
    return;
  }
  auto metrics = parse_json(R"([{"type":"Resource","resource":{"name":"cpu",)"
                            R"("target":{"type":"Utilization","averageUtilization":80}}}])");
  (*spec)["metrics"] = *metrics;
}

}  // namespace coracle::api::defaults
