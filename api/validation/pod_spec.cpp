#include <algorithm>
#include <limits>
#include <string>

#include "api/validation/checks.hpp"
#include "api/validation/pod_parts.hpp"
#include "api/validation/resources.hpp"
#include "api/validation/validation.hpp"
#include "base/strings.hpp"

namespace coracle::api::validation {
namespace {

using checks::member;
using checks::text_of;

constexpr std::size_t kNameserversMax = 3;
constexpr std::size_t kSearchesMax = 32;
constexpr std::size_t kSearchBytesMax = 2048;
constexpr std::size_t kHostnameMax = 64;
constexpr std::int64_t kInt32Max = std::numeric_limits<std::int32_t>::max();

void dns_searches(const json::value& config, const FieldPath& path, FieldErrors& errors) {
  const json::array& searches = get_array(config, "searches");
  if (searches.size() > kSearchesMax) {
    errors.invalid(path, searches, "must not have more than 32 search paths");
  }
  std::size_t bytes = searches.empty() ? 0 : searches.size() - 1;
  for (const json::value& search : searches) {
    bytes += search.is_string() ? search.get_string().size() : 0;
  }
  if (bytes > kSearchBytesMax) {
    errors.invalid(path, searches,
                   "must not have more than 2048 characters (including spaces) in the search "
                   "list");
  }
  std::size_t index = 0;
  for (const json::value& search : searches) {
    const FieldPath at = path.index(index++);
    std::string_view text = search.is_string() ? std::string_view(search.get_string()) : "";
    if (text == ".") {
      continue;
    }
    if (text.ends_with('.')) {
      text.remove_suffix(1);
    }
    errors.invalid_each(at, text, checks::dns_subdomain_with_underscore(text));
  }
}

void dns_config(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  const json::value* config = member(spec, "dnsConfig");
  const json::array& servers = get_array(spec, "dnsConfig.nameservers");
  if (text_of(spec, "dnsPolicy") == "None") {
    if (config == nullptr) {
      errors.required(path, "must provide `dnsConfig` when `dnsPolicy` is None");
      return;
    }
    if (servers.empty()) {
      errors.required(path.child("nameservers"),
                      "must provide at least one DNS nameserver when `dnsPolicy` is None");
      return;
    }
  }
  if (config == nullptr) {
    return;
  }
  if (servers.size() > kNameserversMax) {
    errors.invalid(path.child("nameservers"), servers, "must not have more than 3 nameservers");
  }
  std::size_t index = 0;
  for (const json::value& server : servers) {
    const FieldPath at = path.child("nameservers").index(index++);
    if (server.is_string()) {
      errors.invalid_each(at, server, check_ip(server.get_string()));
    }
  }
  dns_searches(*config, path.child("searches"), errors);
  index = 0;
  for (const json::value& option : get_array(*config, "options")) {
    if (text_of(option, "name").empty()) {
      errors.required(path.child("options").index(index), "must not be empty");
    }
    ++index;
  }
}

// Upstream looks at the node name with the longer rule, too.
void names(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  for (const std::string_view key : {"serviceAccountName", "nodeName"}) {
    if (const std::string_view name = text_of(spec, key); !name.empty()) {
      checks::dns_subdomain(name, path.child(key), errors);
    }
  }
}

void gates(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  std::size_t index = 0;
  for (const json::value& gate : get_array(spec, "readinessGates")) {
    checks::label_name(text_of(gate, "conditionType"),
                       path.child("readinessGates").index(index++).child("conditionType"), errors);
  }
  index = 0;
  std::vector<std::string_view> seen;
  for (const json::value& gate : get_array(spec, "schedulingGates")) {
    const FieldPath at = path.child("schedulingGates").index(index++);
    const std::string_view name = text_of(gate, "name");
    checks::label_name(name, at, errors);
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
      errors.duplicate(at, name);
    }
    seen.push_back(name);
  }
}

void host_aliases(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  std::size_t index = 0;
  for (const json::value& alias : get_array(spec, "hostAliases")) {
    const FieldPath at = path.child("hostAliases").index(index++);
    errors.invalid_each(at.child("ip"), text_of(alias, "ip"), check_ip(text_of(alias, "ip")));
    std::size_t host_index = 0;
    for (const json::value& host : get_array(alias, "hostnames")) {
      const FieldPath host_path = at.child("hostnames").index(host_index++);
      if (host.is_string()) {
        checks::dns_subdomain(host.get_string(), host_path, errors);
      }
    }
  }
}

// On the node's own network a container's port is the node's.
void host_network_ports(const json::value& spec, PodRole role, const FieldPath& path,
                        FieldErrors& errors) {
  if (!get_bool(spec, "hostNetwork")) {
    return;
  }
  std::size_t container_index = 0;
  for (const json::value& container : get_array(spec, "containers")) {
    const FieldPath list = path.child("containers").index(container_index++).child("ports");
    std::size_t index = 0;
    for (const json::value& port : get_array(container, "ports")) {
      const std::int64_t host = get_int(port, "hostPort");
      if ((role == PodRole::kPod || host != 0) && host != get_int(port, "containerPort")) {
        errors.invalid(list.index(index).child("hostPort"), host,
                       "must match `containerPort` when `hostNetwork` is true");
      }
      ++index;
    }
  }
}

void pod_resources(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  const json::value* resources = member(spec, "resources");
  if (resources == nullptr) {
    return;
  }
  const FieldPath at = path.child("resources");
  if (get_string(spec, "os.name") == "windows") {
    errors.forbidden(at, "may not be set for a windows pod");
    return;
  }
  if (member(*resources, "claims") != nullptr) {
    errors.forbidden(at.child("claims"), "claims may not be set for Resources at pod-level");
  }
  resource::requirements(resources, resource::pod_name, at, errors);
  for (const std::string& name : checks::sorted_names(get_object(*resources, "requests"))) {
    const auto whole = resource::amount_of(find_member(get_object(*resources, "requests"), name));
    Quantity sum;
    for (const json::value& container : get_array(spec, "containers")) {
      const json::object& requests = get_object(container, "resources.requests");
      if (const auto part = resource::amount_of(find_member(requests, name))) {
        sum.add(*part);
      }
    }
    if (whole && sum > *whole) {
      errors.invalid(
          at.child("requests").key(name), whole->text(),
          "must be greater than or equal to aggregate container requests of " + sum.text());
    }
  }
  std::size_t index = 0;
  for (const json::value& container : get_array(spec, "containers")) {
    const json::object& limits = get_object(container, "resources.limits");
    for (const std::string& name : checks::sorted_names(limits)) {
      const auto whole = resource::amount_of(find_member(get_object(*resources, "limits"), name));
      const auto part = resource::amount_of(find_member(limits, name));
      if (whole && part && *part > *whole) {
        errors.invalid(at.child("containers").index(index).key(name).child("limits"), part->text(),
                       "must be less than or equal to pod limits of " + whole->text());
      }
    }
    ++index;
  }
}

void host_users(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  const json::value* own = member(spec, "hostUsers");
  if (own == nullptr || !own->is_bool() || own->get_bool()) {
    return;
  }
  constexpr std::pair<std::string_view, std::string_view> kShared[] = {
      {"hostNetwork", "hostNetwork"}, {"hostPID", "HostPID"}, {"hostIPC", "HostIPC"}};
  for (const auto& [key, shown] : kShared) {
    if (get_bool(spec, key)) {
      errors.forbidden(path.child(shown), "when `hostUsers` is false");
    }
  }
}

void hostname_override(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  if (member(spec, "hostnameOverride") == nullptr) {
    return;
  }
  const FieldPath at = path.child("hostnameOverride");
  const std::string_view name = text_of(spec, "hostnameOverride");
  if (get_bool(spec, "setHostnameAsFQDN")) {
    errors.forbidden(at, "may not be specified when setHostnameAsFQDN is true");
  }
  if (get_bool(spec, "hostNetwork")) {
    errors.forbidden(at, "may not be specified when hostNetwork is true");
  }
  if (name.size() > kHostnameMax) {
    errors.too_long(at, static_cast<int>(kHostnameMax));
  }
  checks::dns_subdomain(name, at, errors);
}

PodAround around(const json::value& spec, const Volumes& volumes, PodRole role) {
  PodAround pod{spec, volumes, role, std::nullopt};
  if (member(spec, "terminationGracePeriodSeconds") != nullptr) {
    pod.grace_seconds = get_int(spec, "terminationGracePeriodSeconds");
  }
  const json::value* own = member(spec, "hostUsers");
  pod.host_users = own == nullptr || !own->is_bool() || own->get_bool();
  return pod;
}

// What follows the names in upstream's order.
void placement(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  checks::in_range(member(spec, "activeDeadlineSeconds"), 1, kInt32Max,
                   path.child("activeDeadlineSeconds"), errors);
  for (const std::string_view key : {"hostname", "subdomain"}) {
    if (const std::string_view name = text_of(spec, key); !name.empty()) {
      checks::dns_label(name, path.child(key), errors);
    }
  }
  tolerations(spec, path, errors);
  host_aliases(spec, path, errors);
  if (const std::string_view name = text_of(spec, "priorityClassName"); !name.empty()) {
    checks::dns_subdomain(name, path.child("priorityClassName"), errors);
  }
  if (member(spec, "runtimeClassName") != nullptr) {
    checks::dns_subdomain(text_of(spec, "runtimeClassName"), path.child("runtimeClassName"),
                          errors);
  }
  if (member(spec, "preemptionPolicy") != nullptr) {
    checks::one_of(spec, "preemptionPolicy", path, {"PreemptLowerPriority", "Never"}, errors);
  }
  if (const json::value* overhead = member(spec, "overhead")) {
    const json::value shown = json::object({{"limits", *overhead}});
    resource::requirements(&shown, resource::container_name, path.child("overhead"), errors);
  }
}

}  // namespace

void pod_spec(const json::value& spec, PodRole role, const FieldPath& path, FieldErrors& errors) {
  const Volumes known = volumes(spec, role, path, errors);
  pod_device_claims(spec, path, errors);
  containers(around(spec, known, role), path, errors);
  pod_resources(spec, path, errors);
  host_network_ports(spec, role, path, errors);
  checks::one_of(spec, "restartPolicy", path, {"Always", "OnFailure", "Never"}, errors);
  checks::one_of(spec, "dnsPolicy", path,
                 {"ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"}, errors);
  validate_labels(member(spec, "nodeSelector"), path.child("nodeSelector"), errors);
  pod_security_context(spec, path, errors);
  affinity(spec, path, errors);
  dns_config(spec, path.child("dnsConfig"), errors);
  gates(spec, path, errors);
  topology_spread(spec, path, errors);
  host_users(spec, path, errors);
  hostname_override(spec, path, errors);
  names(spec, path, errors);
  placement(spec, path, errors);
  operating_system(spec, path, errors);
}

void pod_annotations(const json::value& object, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kCost = "controller.kubernetes.io/pod-deletion-cost";
  constexpr std::string_view kMirror = "kubernetes.io/config.mirror";
  const json::object& annotations = annotations_of(object);
  if (find_member(annotations, kMirror) != nullptr && get_string(object, "spec.nodeName").empty()) {
    errors.invalid(path.key(kMirror), annotation_of(object, kMirror),
                   "must set spec.nodeName if mirror pod annotation is set");
  }
  if (find_member(annotations, kCost) != nullptr) {
    const std::string_view text = annotation_of(object, kCost);
    long long cost = 0;
    const bool digits = !text.empty() && text != "+" && !text.starts_with("+") &&
                        !(text.size() > 1 && text.front() == '0') && !text.starts_with("-0");
    if (!digits || !parse_int(text, &cost) || cost > kInt32Max || cost < -kInt32Max - 1) {
      errors.invalid(path.key(kCost), text, "must be a 32bit integer");
    }
  }
}

void pod_template(const json::value& pod_template, const FieldPath& path, FieldErrors& errors) {
  // Upstream leaves `metadata` out of these two paths.
  validate_labels(find(pod_template, "metadata.labels"), path.child("labels"), errors);
  validate_annotations(find(pod_template, "metadata.annotations"), path.child("annotations"),
                       errors);
  pod_annotations(pod_template, path.child("annotations"), errors);
  static const json::value kNothing = json::object();
  const json::value* spec = member(pod_template, "spec");
  pod_spec(spec == nullptr ? kNothing : *spec, PodRole::kTemplate, path.child("spec"), errors);
  if (!get_array(pod_template, "spec.ephemeralContainers").empty()) {
    errors.forbidden(path.child("spec").child("ephemeralContainers"),
                     "ephemeral containers not allowed in pod template");
  }
}

void pod_template_kind(const json::value& object, const json::value*, FieldErrors& errors) {
  static const json::value kNothing = json::object();
  const json::value* inner = member(object, "template");
  pod_template(inner == nullptr ? kNothing : *inner, FieldPath("template"), errors);
}

}  // namespace coracle::api::validation
