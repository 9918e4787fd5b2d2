// Versions that share storage, and the Scale view of scalable kinds.
#include <algorithm>

#include "api/convert_autoscaler.hpp"
#include "api/object.hpp"
#include "api/selectors.hpp"
#include "api/strategy.hpp"

namespace coracle::api {

namespace {

struct Rename {
  std::string_view core, events;
};
// The same Event in core/v1 and in events.k8s.io/v1.
constexpr Rename kEventFields[] = {{"involvedObject", "regarding"},
                                   {"message", "note"},
                                   {"source", "deprecatedSource"},
                                   {"firstTimestamp", "deprecatedFirstTimestamp"},
                                   {"lastTimestamp", "deprecatedLastTimestamp"},
                                   {"count", "deprecatedCount"},
                                   {"reportingComponent", "reportingController"}};

void convert_event(bool to_core, json::object& object) {
  json::object out;
  for (auto& [name, value] : object) {
    std::string_view key = name;
    for (const Rename& rename : kEventFields) {
      if (key == (to_core ? rename.events : rename.core)) {
        key = to_core ? rename.core : rename.events;
        break;
      }
    }
    out[key] = std::move(value);
  }
  object = std::move(out);
}

std::string_view path_of(const std::string& dotted) {
  const std::string_view path = dotted;
  return path.starts_with('.') ? path.substr(1) : path;
}

std::string selector_text(const ResourceInfo& info, const json::value& object) {
  if (info.scale->label_selector.empty()) return {};
  const json::value* selector = find(object, path_of(info.scale->label_selector));
  if (selector == nullptr) selector = find(object, "spec.selector");
  if (selector == nullptr) return {};
  if (selector->is_string()) return std::string(selector->as_string());
  if (!selector->is_object()) return {};
  const json::object& map = selector->as_object();
  if (map.contains("matchLabels") || map.contains("matchExpressions")) {
    const Result<LabelSelector> parsed = LabelSelector::from_object(selector);
    return parsed.ok() ? parsed->text() : std::string();
  }
  return LabelSelector::from_map(map).text();
}

}  // namespace

void convert_object(const ResourceInfo& from, const ResourceInfo& to, json::value& object) {
  if (&from == &to || !object.is_object()) return;
  json::object& members = object.as_object();
  if (from.kind == "Event" && to.kind == "Event" && from.group != to.group) {
    convert_event(to.group.empty(), members);
  }
  if (to.kind == "HorizontalPodAutoscaler" && from.version != to.version) {
    if (to.version == "v1") autoscaler_to_v1(object);
    if (from.version == "v1") autoscaler_from_v1(object);
  }
  members["apiVersion"] = to.api_version;
  members["kind"] = to.kind;
}

Result<json::value> scale_of(const ResourceInfo& info, const json::value& object) {
  if (!info.scale) return not_found("the server could not find the requested resource");
  json::object scale;
  scale["kind"] = "Scale";
  scale["apiVersion"] = "autoscaling/v1";
  json::object metadata;
  for (std::string_view name :
       {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"}) {
    if (const json::value* value = find_keys(object, {"metadata", name})) metadata[name] = *value;
  }
  scale["metadata"] = std::move(metadata);
  json::object spec;
  const std::int64_t wanted = get_int(object, path_of(info.scale->spec_replicas));
  if (wanted != 0) spec["replicas"] = wanted;  // Go leaves a zero out
  scale["spec"] = std::move(spec);
  json::object status;
  status["replicas"] = get_int(object, path_of(info.scale->status_replicas));
  const std::string selector = selector_text(info, object);
  if (!selector.empty()) status["selector"] = selector;
  scale["status"] = std::move(status);
  return json::value(std::move(scale));
}

Status apply_scale(const ResourceInfo& info, const json::value& scale, json::value& object) {
  if (!info.scale) return not_found("the server could not find the requested resource");
  const json::value* replicas = find(scale, "spec.replicas");
  if (replicas != nullptr && !replicas->is_int64()) {
    return invalid_argument("spec.replicas must be an integer");
  }
  set_path(object, path_of(info.scale->spec_replicas),
           json::value(replicas ? replicas->as_int64() : std::int64_t{0}));
  return {};
}

}  // namespace coracle::api
