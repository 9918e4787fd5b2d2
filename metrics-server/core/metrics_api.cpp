#include "metrics_core/metrics_api.hpp"

#include <fmt/format.h>

#include "api/object.hpp"
#include "api/quantity.hpp"
#include "api/selectors.hpp"
#include "api/status_object.hpp"
#include "base/strings.hpp"
#include "metrics_core/metrics_table.hpp"

namespace coracle::metrics {
namespace {

constexpr std::string_view kGroup = "metrics.k8s.io";
constexpr std::string_view kVersionPath = "/apis/metrics.k8s.io/v1beta1";
constexpr char kApiVersion[] = "metrics.k8s.io/v1beta1";

ApiAnswer failed(const api::ApiError& error) { return {error.http_code, error.status}; }

std::string cpu_text(std::int64_t nanos) {
  const auto quantity = api::Quantity::parse(fmt::format("{}n", nanos));
  return quantity.ok() ? quantity->text() : "0";
}

// In whole kibibytes where it is one, as upstream's.
std::string memory_text(std::int64_t bytes) {
  return api::Quantity::from_units(bytes, api::QuantityFormat::kBinarySI).text();
}

json::object usage_object(const Usage& usage) {
  return {{"cpu", cpu_text(usage.cpu_nanos)}, {"memory", memory_text(usage.memory_bytes)}};
}

json::value resource(const char* name, const char* kind, bool namespaced) {
  return json::object({{"name", name},
                       {"singularName", ""},
                       {"namespaced", namespaced},
                       {"kind", kind},
                       {"verbs", json::array({"get", "list"})}});
}

json::object version_entry() { return {{"groupVersion", kApiVersion}, {"version", "v1beta1"}}; }

json::object group_entry() {
  json::object group;
  group["name"] = kGroup;
  group["versions"] = json::array({version_entry()});
  group["preferredVersion"] = version_entry();
  return group;
}

json::object discovery(std::string_view kind, const char* key, json::value list) {
  json::object o;
  o["kind"] = kind;
  o["apiVersion"] = "v1";
  o[key] = std::move(list);
  return o;
}

// Nothing: the path is none of discovery's.
std::optional<json::value> discovery_page(std::string_view path) {
  if (path == "/apis") return discovery("APIGroupList", "groups", json::array({group_entry()}));
  if (path == "/apis/metrics.k8s.io") {
    json::object group{{"kind", "APIGroup"}, {"apiVersion", "v1"}};
    for (auto& member : group_entry()) group[member.key()] = std::move(member.value());
    return json::value(std::move(group));
  }
  if (path != kVersionPath) return std::nullopt;
  json::object list = discovery(
      "APIResourceList", "resources",
      json::array({resource("nodes", "NodeMetrics", false), resource("pods", "PodMetrics", true)}));
  list["groupVersion"] = kApiVersion;
  return json::value(std::move(list));
}

struct Selection {
  api::LabelSelector labels;
  api::FieldSelector fields;
};

Result<Selection> selection_of(const ApiAsk& ask) {
  ASSIGN_OR_RETURN(auto labels, api::LabelSelector::parse(ask.label_selector));
  ASSIGN_OR_RETURN(auto fields, api::FieldSelector::parse(ask.field_selector));
  for (const api::FieldRequirement& requirement : fields.requirements()) {
    if (requirement.field == "metadata.name" || requirement.field == "metadata.namespace") continue;
    return invalid_argument(fmt::format(
        "\"{}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
        requirement.field));
  }
  return Selection{std::move(labels), std::move(fields)};
}

std::string verb_of(std::string_view method, bool watch, bool has_name) {
  if (method == "GET" || method == "HEAD") return has_name ? "get" : watch ? "watch" : "list";
  if (method == "POST") return "create";
  if (method == "PUT") return "update";
  if (method == "PATCH") return "patch";
  if (method == "DELETE") return has_name ? "delete" : "deletecollection";
  return to_lower(method);
}

}  // namespace

ApiTarget target_of(std::string_view method, std::string_view path, bool watch) {
  ApiTarget target;
  if (path.starts_with(std::string(kVersionPath) + "/")) {
    const auto parts = split(path.substr(kVersionPath.size() + 1), '/');
    size_t at = 0;
    if (parts.size() > 2 && parts[0] == "namespaces") {
      target.ns = parts[1];
      at = 2;
    }
    if (at < parts.size()) target.resource_name = parts[at];
    if (at + 1 < parts.size()) target.name = parts[at + 1];
    target.resource = !target.resource_name.empty();
  }
  target.verb = target.resource ? verb_of(method, watch, !target.name.empty()) : to_lower(method);
  return target;
}

json::value MetricsApi::metrics_of(const json::value& object, bool pod, WallTime now) const {
  json::object metadata;
  metadata["name"] = api::name_of(object);
  if (pod) metadata["namespace"] = api::namespace_of(object);
  metadata["creationTimestamp"] = format_time(now);
  if (const json::object& labels = api::labels_of(object); !labels.empty()) {
    metadata["labels"] = labels;
  }
  json::object out;
  out["kind"] = pod ? "PodMetrics" : "NodeMetrics";
  out["apiVersion"] = kApiVersion;
  out["metadata"] = std::move(metadata);
  if (!pod) {
    const auto usage = usage_.of_node(std::string(api::name_of(object)));
    if (!usage) return nullptr;
    out["timestamp"] = format_time(usage->at);
    out["window"] = go_duration(usage->window);
    out["usage"] = usage_object(*usage);
    return json::value(std::move(out));
  }
  if (get_string(object, "status.phase") != "Running") return nullptr;
  const auto usage = usage_.of_pod(client::object_key(object));
  if (!usage) return nullptr;
  out["timestamp"] = format_time(usage->at);
  out["window"] = go_duration(usage->window);
  json::array containers;
  for (const auto& [name, one] : usage->containers) {
    containers.push_back(json::object({{"name", name}, {"usage", usage_object(one)}}));
  }
  out["containers"] = std::move(containers);
  return json::value(std::move(out));
}

ApiAnswer MetricsApi::list(const ApiAsk& ask, const ApiTarget& target, WallTime now) const {
  const bool pod = target.resource_name == "pods";
  const auto selection = selection_of(ask);
  if (!selection.ok()) return failed(api::bad_request_error(selection.status().message()));
  json::array items;
  for (const auto& [key, object] : (pod ? pods_ : nodes_).objects()) {
    if (!target.ns.empty() && api::namespace_of(*object) != target.ns) continue;
    if (!selection->labels.matches(api::labels_of(*object))) continue;
    if (!selection->fields.matches_object(*object)) continue;
    json::value metrics = metrics_of(*object, pod, now);
    if (!metrics.is_null()) items.push_back(std::move(metrics));
  }
  if (wants_table(ask.accept)) return {200, table_of(items, ask.include_object)};
  for (json::value& item : items) {  // those of a list do not say what they are
    erase_key(item.get_object(), "kind");
    erase_key(item.get_object(), "apiVersion");
  }
  json::object out;
  out["kind"] = pod ? "PodMetricsList" : "NodeMetricsList";
  out["apiVersion"] = kApiVersion;
  out["metadata"] = json::object();
  out["items"] = std::move(items);
  return {200, json::value(std::move(out))};
}

ApiAnswer MetricsApi::get(const ApiAsk& ask, const ApiTarget& target, WallTime now) const {
  const bool pod = target.resource_name == "pods";
  const client::ObjectPtr object =
      pod ? pods_.get(target.ns, target.name) : nodes_.get(target.name);
  if (object == nullptr)
    return failed(api::not_found_error({"", target.resource_name}, target.name));
  json::value metrics = metrics_of(*object, pod, now);
  if (metrics.is_null()) {
    const std::string name = pod ? target.ns + "/" + target.name : target.name;
    return failed(api::not_found_error({kGroup, pod ? "podmetrics" : "nodemetrics"}, name));
  }
  if (!wants_table(ask.accept)) return {200, std::move(metrics)};
  json::array one;
  one.push_back(std::move(metrics));
  return {200, table_of(one, ask.include_object)};
}

ApiAnswer MetricsApi::answer(const ApiAsk& ask, WallTime now) const {
  const ApiTarget target = target_of(ask.method, ask.path, ask.watch);
  if (!target.resource) {
    auto page = discovery_page(ask.path);
    if (!page) return failed(api::unknown_resource_error());
    if (ask.method != "GET") return failed(api::method_not_allowed_error());
    return {200, *std::move(page)};
  }
  const bool pod = target.resource_name == "pods";
  const bool known = pod || (target.resource_name == "nodes" && target.ns.empty());
  if (!known || (pod && target.ns.empty() && !target.name.empty())) {
    return failed(api::unknown_resource_error());
  }
  if (target.verb == "watch") {
    return failed(api::method_not_supported_error({kGroup, target.resource_name}, "watch"));
  }
  if (target.verb == "get") return get(ask, target, now);
  if (target.verb == "list") return list(ask, target, now);
  return failed(api::method_not_allowed_error());
}

std::string go_duration(Duration d) {
  const auto nanos = d.count();
  if (nanos == 0) return "0s";
  const auto trimmed = [](double value, const char* unit) {
    std::string text = fmt::format("{:.9f}", value);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text + unit;
  };
  if (nanos < 1'000) return fmt::format("{}ns", nanos);
  if (nanos < 1'000'000) return trimmed(static_cast<double>(nanos) / 1e3, "µs");
  if (nanos < 1'000'000'000) return trimmed(static_cast<double>(nanos) / 1e6, "ms");
  const auto minutes = nanos / 60'000'000'000;
  const std::string rest = trimmed(static_cast<double>(nanos % 60'000'000'000) / 1e9, "s");
  if (minutes == 0) return rest;
  if (minutes < 60) return fmt::format("{}m{}", minutes, rest);
  return fmt::format("{}h{}m{}", minutes / 60, minutes % 60, rest);
}

}  // namespace coracle::metrics
