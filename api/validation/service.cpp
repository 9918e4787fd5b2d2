#include <algorithm>
#include <set>
#include <string>

#include "api/object.hpp"
#include "api/validation/checks.hpp"
#include "api/validation/network_parts.hpp"
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

bool headless(const json::value& spec) {
  const json::array& ips = get_array(spec, "clusterIPs");
  return ips.size() == 1 && ips.front() == json::value("None");
}

void external_name(const json::value& spec, FieldErrors& errors) {
  const FieldPath path("spec");
  for (const std::string_view key : {"clusterIPs", "ipFamilies", "ipFamilyPolicy"}) {
    if (!checks::is_empty(member(spec, key))) {
      errors.forbidden(path.child(key), "may not be set for ExternalName services");
    }
  }
  std::string_view name = text_of(spec, "externalName");
  if (name.ends_with('.')) {
    name.remove_suffix(1);
  }
  if (name.empty()) {
    errors.required(path.child("externalName"));
  } else {
    checks::dns_subdomain(name, path.child("externalName"), errors);
  }
}

void by_type(const json::value& spec, FieldErrors& errors) {
  const FieldPath path("spec");
  const std::string_view type = text_of(spec, "type");
  if (type == "ExternalName") {
    external_name(spec, errors);
    return;
  }
  if ((type == "LoadBalancer" || type == "NodePort") && headless(spec)) {
    errors.invalid(path.child("clusterIPs").index(0), "None",
                   "may not be set to 'None' for " + std::string(type) + " services");
  }
}

void port(const json::value& port, bool named, std::set<std::string>& names, const FieldPath& path,
          FieldErrors& errors) {
  const std::string name(text_of(port, "name"));
  if (named && name.empty()) {
    errors.required(path.child("name"));
  } else if (!name.empty()) {
    checks::dns_label(name, path.child("name"), errors);
    if (!names.insert(name).second) {
      errors.duplicate(path.child("name"), checks::text_value(name));
    }
  }
  checks::port_number(member(port, "port"), path.child("port"), errors);
  checks::protocol(port, path, errors);
  checks::port_number_or_name(member(port, "targetPort"), path.child("targetPort"), errors);
  if (member(port, "appProtocol") != nullptr) {
    checks::label_name(text_of(port, "appProtocol"), path.child("appProtocol"), errors);
  }
}

void affinity(const json::value& spec, FieldErrors& errors) {
  const FieldPath path("spec");
  checks::one_of(spec, "sessionAffinity", path, {"ClientIP", "None"}, errors);
  const json::value* config = member(spec, "sessionAffinityConfig");
  const std::string_view affinity = text_of(spec, "sessionAffinity");
  if (affinity == "None" && config != nullptr) {
    errors.forbidden(path.child("sessionAffinityConfig"),
                     "must not be set when session affinity is None");
  }
  if (affinity != "ClientIP") return;
  constexpr std::int64_t kSecondsMax = 86400;
  FieldPath at = path.child("sessionAffinityConfig");
  const json::value* inner = config;
  for (const std::string_view key : {"clientIP", "timeoutSeconds"}) {
    if (inner == nullptr) break;
    at = at.child(key);
    inner = member(*inner, key);
  }
  if (inner == nullptr) {
    errors.required(at, "when session affinity type is ClientIP");
  } else if (inner->is_int64() && (inner->get_int64() <= 0 || inner->get_int64() > kSecondsMax)) {
    errors.invalid(at, *inner, "must be greater than 0 and less than 86400");
  }
}

// What upstream shows of a repeated (port, protocol): its own struct with only these two set.
json::value port_key(const json::value& port) {
  json::object key;
  key["Name"] = "";
  key["Protocol"] = checks::text_value(text_of(port, "protocol"));
  key["AppProtocol"] = nullptr;
  key["Port"] = get_int(port, "port");
  key["TargetPort"] = 0;
  key["NodePort"] = 0;
  return key;
}

void repeated_ports(const json::value& spec, FieldErrors& errors) {
  const FieldPath path = FieldPath("spec").child("ports");
  const json::array& ports = get_array(spec, "ports");
  std::size_t index = 0;
  if (text_of(spec, "type") == "ClusterIP") {
    for (const json::value& port : ports) {
      if (get_int(port, "nodePort") != 0) {
        errors.forbidden(path.index(index).child("nodePort"),
                         "may not be used when `type` is 'ClusterIP'");
      }
      ++index;
    }
  }
  std::set<std::pair<std::string, std::int64_t>> node_ports;
  std::set<std::pair<std::string, std::int64_t>> own_ports;
  index = 0;
  for (const json::value& port : ports) {
    const std::int64_t node_port = get_int(port, "nodePort");
    const std::string protocol(text_of(port, "protocol"));
    if (node_port != 0 && !node_ports.emplace(protocol, node_port).second) {
      errors.duplicate(path.index(index).child("nodePort"), node_port);
    }
    ++index;
  }
  index = 0;
  for (const json::value& port : ports) {
    if (!own_ports.emplace(std::string(text_of(port, "protocol")), get_int(port, "port")).second) {
      errors.duplicate(path.index(index), port_key(port));
    }
    ++index;
  }
}

void source_ranges(const json::value& object, const json::value* old, FieldErrors& errors) {
  constexpr std::string_view kAnnotation = "service.beta.kubernetes.io/load-balancer-source-ranges";
  const json::value& spec = spec_of(object);
  const bool balancer = text_of(spec, "type") == "LoadBalancer";
  const json::array& ranges = get_array(spec, "loadBalancerSourceRanges");
  const FieldPath path = FieldPath("spec").child("LoadBalancerSourceRanges");
  if (!ranges.empty() && !balancer) {
    errors.forbidden(path, "may only be used when `type` is 'LoadBalancer'");
  }
  const json::array kNone;
  const json::array& known =
      old == nullptr ? kNone : get_array(spec_of(*old), "loadBalancerSourceRanges");
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    if (!ranges[i].is_string() || std::ranges::find(known, ranges[i]) != known.end()) continue;
    legacy_network(path.index(i), trim(ranges[i].get_string()), errors);
  }
  const std::string_view given = annotation_of(object, kAnnotation);
  if (!ranges.empty() || !annotations_of(object).contains(kAnnotation)) return;
  const FieldPath at = FieldPath("metadata").child("annotations").key(kAnnotation);
  if (!balancer) errors.forbidden(at, "may only be used when `type` is 'LoadBalancer'");
  if (old != nullptr && annotation_of(*old, kAnnotation) == given) return;
  for (const std::string& range : split(trim(given), ',')) {
    legacy_network(at, trim(range), errors);
  }
}

bool reached_from_outside(const json::value& spec) {
  const std::string_view type = text_of(spec, "type");
  return type == "LoadBalancer" || type == "NodePort" ||
         (type == "ClusterIP" && !get_array(spec, "externalIPs").empty());
}

// A port for it is taken later.
bool needs_health_check(const json::value& spec) {
  return text_of(spec, "type") == "LoadBalancer" &&
         text_of(spec, "externalTrafficPolicy") == "Local";
}

void traffic(const json::value& spec, FieldErrors& errors) {
  const FieldPath path("spec");
  const std::string_view type = text_of(spec, "type");
  const json::value* policy = member(spec, "externalTrafficPolicy");
  if (reached_from_outside(spec)) {
    checks::one_of(spec, "externalTrafficPolicy", path, {"Cluster", "Local"}, errors);
  } else if (!checks::is_empty(policy)) {
    errors.invalid(path.child("externalTrafficPolicy"), *policy,
                   "may only be set for externally-accessible services");
  }
  const std::int64_t health = get_int(spec, "healthCheckNodePort");
  if (health != 0 && !needs_health_check(spec)) {
    errors.invalid(path.child("healthCheckNodePort"), health,
                   "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is "
                   "'Local'");
  } else if (health != 0) {
    errors.invalid_each(path.child("healthCheckNodePort"), health, check_port_number(health));
  }
  const bool inside = type == "ClusterIP" || type == "NodePort" || type == "LoadBalancer";
  if (inside && member(spec, "internalTrafficPolicy") == nullptr) {
    errors.required(path.child("internalTrafficPolicy"));
  }
  checks::one_of_if_set(spec, "internalTrafficPolicy", path, {"Cluster", "Local"}, errors);
  checks::one_of_if_set(spec, "trafficDistribution", path,
                        {"PreferClose", "PreferSameZone", "PreferSameNode"}, errors);
}

void balancer(const json::value& spec, FieldErrors& errors) {
  const FieldPath path("spec");
  const bool is = text_of(spec, "type") == "LoadBalancer";
  const json::value* allocate = member(spec, "allocateLoadBalancerNodePorts");
  if (is && allocate == nullptr) {
    errors.required(FieldPath("allocateLoadBalancerNodePorts"));  // where upstream reports it
  } else if (!is && allocate != nullptr) {
    errors.forbidden(path.child("allocateLoadBalancerNodePorts"),
                     "may only be used when `type` is 'LoadBalancer'");
  }
  balancer_class(spec, errors);
}

void topology_annotations(const json::value& object, FieldErrors& errors) {
  constexpr std::string_view kMode = "service.kubernetes.io/topology-mode";
  constexpr std::string_view kHints = "service.kubernetes.io/topology-aware-hints";
  const json::object& all = annotations_of(object);
  if (all.contains(kMode) && all.contains(kHints) &&
      annotation_of(object, kMode) != annotation_of(object, kHints)) {
    errors.invalid(FieldPath("metadata").child("annotations").key(kMode),
                   annotation_of(object, kMode),
                   "must match annotations[" + std::string(kHints) + "] when both are specified");
  }
}

}  // namespace

void service(const json::value& object, const json::value* old, FieldErrors& errors) {
  const json::value& spec = spec_of(object);
  const FieldPath path("spec");
  if (old != nullptr) {
    const json::value& before = spec_of(*old);
    service_changes(spec, before, errors);
    if (needs_health_check(spec) && needs_health_check(before) &&
        get_int(spec, "healthCheckNodePort") != get_int(before, "healthCheckNodePort")) {
      errors.forbidden(path.child("healthCheckNodePort"), checks::kImmutable);
    }
  }
  topology_annotations(object, errors);
  const json::array& ports = get_array(spec, "ports");
  if (ports.empty() && !headless(spec) && text_of(spec, "type") != "ExternalName") {
    errors.required(path.child("ports"));
  }
  by_type(spec, errors);
  std::set<std::string> names;
  std::size_t index = 0;
  for (const json::value& entry : ports) {
    port(entry, ports.size() > 1, names, path.child("ports").index(index++), errors);
  }
  validate_labels(member(spec, "selector"), path.child("selector"), errors);
  affinity(spec, errors);
  service_addresses(spec, old == nullptr ? nullptr : &spec_of(*old), errors);
  checks::one_of(spec, "type", path, {"ClusterIP", "ExternalName", "LoadBalancer", "NodePort"},
                 errors);
  repeated_ports(spec, errors);
  source_ranges(object, old, errors);
  balancer(spec, errors);
  traffic(spec, errors);
}

void service_status(const json::value& object, const json::value&, FieldErrors& errors) {
  const FieldPath path = FieldPath("status").child("loadBalancer", "ingress");
  const json::array& list = get_array(object, "status.loadBalancer.ingress");
  if (text_of(spec_of(object), "type") != "LoadBalancer" && !list.empty()) {
    errors.forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'");
    return;
  }
  std::size_t index = 0;
  for (const json::value& one : list) {
    const FieldPath at = path.index(index++);
    const std::string_view ip = text_of(one, "ip");
    if (!ip.empty()) legacy_ip(at.child("ip"), ip, errors);
    const json::value* mode = member(one, "ipMode");
    if (mode == nullptr && !ip.empty()) {
      errors.required(at.child("ipMode"), "must be specified when `ip` is set");
    } else if (mode != nullptr && ip.empty()) {
      errors.forbidden(at.child("ipMode"), "may not be specified when `ip` is not set");
    } else {
      checks::one_of_if_set(one, "ipMode", at, {"Proxy", "VIP"}, errors);
    }
    host_name(at.child("hostname"), text_of(one, "hostname"), errors);
  }
}

}  // namespace coracle::api::validation
