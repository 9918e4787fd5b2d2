#include <set>
#include <string>

#include "api/validation/checks.hpp"
#include "api/validation/validation.hpp"

namespace coracle::api::validation {
namespace {

using checks::member;
using checks::text_of;

constexpr std::int64_t kKubeletPort = 10250;

const json::value& spec_of(const json::value& object) {
  static const json::value kNothing = json::object();
  const json::value* spec = member(object, "spec");
  return spec == nullptr ? kNothing : *spec;
}

// The addresses of a service, whichever of the two members holds them.
std::vector<std::string> cluster_ips(const json::value& spec) {
  std::vector<std::string> out;
  for (const json::value& ip : get_array(spec, "clusterIPs")) {
    if (ip.is_string()) {
      out.emplace_back(std::string_view(ip.get_string()));
    }
  }
  if (const auto ip = text_of(spec, "clusterIP"); out.empty() && !ip.empty()) {
    out.emplace_back(ip);
  }
  return out;
}

bool is_headless(const json::value& spec) {
  const std::vector<std::string> ips = cluster_ips(spec);
  return ips.size() == 1 && ips.front() == "None";
}

void external_name(const json::value& spec, FieldErrors& errors) {
  const FieldPath path("spec");
  for (const std::string_view key : {"clusterIPs", "ipFamilies", "ipFamilyPolicy"}) {
    const bool set =
        key == "clusterIPs" ? !cluster_ips(spec).empty() : !checks::is_empty(member(spec, key));
    if (set) {
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
  if (type == "LoadBalancer") {
    std::size_t index = 0;
    for (const json::value& port : get_array(spec, "ports")) {
      if (get_int(port, "port") == kKubeletPort) {
        errors.invalid(path.child("ports").index(index), kKubeletPort,
                       "may not expose port 10250 externally since it is used by kubelet");
      }
      ++index;
    }
  }
  if ((type == "LoadBalancer" || type == "NodePort") && is_headless(spec)) {
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
  if (const auto protocol = text_of(port, "appProtocol"); !protocol.empty()) {
    checks::label_name(protocol, path.child("appProtocol"), errors);
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
  if (affinity == "ClientIP") {
    constexpr std::int64_t kSecondsMax = 86400;
    const std::int64_t seconds = get_int(spec, "sessionAffinityConfig.clientIP.timeoutSeconds");
    if (seconds <= 0 || seconds > kSecondsMax) {
      errors.invalid(path.child("sessionAffinityConfig").child("clientIP").child("timeoutSeconds"),
                     seconds, "must be greater than 0 and less than 86400");
    }
  }
}

void addresses(const json::value& spec, FieldErrors& errors) {
  const FieldPath path("spec");
  std::size_t index = 0;
  const bool single = cluster_ips(spec).size() < 2;
  for (const std::string& ip : cluster_ips(spec)) {
    const FieldPath at = path.child("clusterIPs").index(index++);
    if (ip == "None") {
      if (!single) {
        errors.invalid(at, checks::text_value(ip), "'None' must be the first and only value");
      }
      continue;
    }
    errors.invalid_each(at, checks::text_value(ip), check_ip(ip));
  }
  index = 0;
  for (const json::value& ip : get_array(spec, "externalIPs")) {
    if (ip.is_string()) {
      errors.invalid_each(path.child("externalIPs").index(index++), ip, check_ip(ip.get_string()));
    }
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

void type_dependent(const json::value& spec, FieldErrors& errors) {
  const FieldPath path("spec");
  const std::string_view type = text_of(spec, "type");
  const bool balancer = type == "LoadBalancer";
  if (balancer && member(spec, "allocateLoadBalancerNodePorts") == nullptr) {
    errors.required(path.child("allocateLoadBalancerNodePorts"));
  }
  for (const std::string_view key : {"allocateLoadBalancerNodePorts", "loadBalancerClass"}) {
    if (!balancer && member(spec, key) != nullptr) {
      errors.forbidden(path.child(key), "may only be used when `type` is 'LoadBalancer'");
    }
  }
  const bool external = balancer || type == "NodePort" ||
                        (type == "ClusterIP" && !get_array(spec, "externalIPs").empty());
  const json::value* policy = member(spec, "externalTrafficPolicy");
  if (!external && policy != nullptr) {
    errors.invalid(path.child("externalTrafficPolicy"), *policy,
                   "may only be set for externally-accessible services");
  } else if (external) {
    checks::one_of(spec, "externalTrafficPolicy", path, {"Cluster", "Local"}, errors);
  }
  checks::one_of_if_set(spec, "internalTrafficPolicy", path, {"Cluster", "Local"}, errors);
}

// An address, once given, stays, unless the service comes from or goes to a type without one.
void kept_addresses(const json::value& spec, const json::value& before, FieldErrors& errors) {
  if (text_of(spec, "type") == "LoadBalancer" && text_of(before, "type") == "LoadBalancer" &&
      !checks::same(member(spec, "loadBalancerClass"), member(before, "loadBalancerClass"))) {
    errors.invalid(FieldPath("spec").child("loadBalancerClass"),
                   checks::value_or_null(member(spec, "loadBalancerClass")),
                   "may not change once set");
  }
  if (text_of(spec, "type") == "ExternalName" || text_of(before, "type") == "ExternalName") {
    return;
  }
  const std::vector<std::string> now = cluster_ips(spec);
  const std::vector<std::string> old = cluster_ips(before);
  if (old.empty() || (!now.empty() && now.front() == old.front())) {
    return;
  }
  json::array shown;
  for (const std::string& ip : now) {
    shown.emplace_back(ip);
  }
  errors.invalid(FieldPath("spec").child("clusterIPs").index(0), json::value(std::move(shown)),
                 now.empty() ? "primary clusterIP can not be unset" : "may not change once set");
}

}  // namespace

void service(const json::value& object, const json::value* old, FieldErrors& errors) {
  const json::value& spec = spec_of(object);
  const FieldPath path("spec");
  if (old != nullptr) {
    kept_addresses(spec, spec_of(*old), errors);
  }
  const json::array& ports = get_array(spec, "ports");
  if (ports.empty() && !is_headless(spec) && text_of(spec, "type") != "ExternalName") {
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
  addresses(spec, errors);
  checks::one_of(spec, "type", path, {"ClusterIP", "ExternalName", "LoadBalancer", "NodePort"},
                 errors);
  repeated_ports(spec, errors);
  type_dependent(spec, errors);
}

}  // namespace coracle::api::validation
