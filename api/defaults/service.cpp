#include <string>

#include "api/defaults/defaults.hpp"
#include "api/defaults/fill.hpp"

namespace coracle::api::defaults {
namespace {

constexpr std::int64_t kAffinitySeconds = 10800;

// Types that do not exist, too: that is for the validation to say, and nothing else.
bool needs_cluster_ip(std::string_view type) { return type != "ExternalName"; }

bool needs_node_port(std::string_view type) { return type == "NodePort" || type == "LoadBalancer"; }

bool is_external(const json::object& spec, std::string_view type) {
  const json::value* external = find_member(spec, "externalIPs");
  const bool has_external =
      external != nullptr && external->is_array() && !external->get_array().empty();
  return needs_node_port(type) || (type == "ClusterIP" && has_external);
}

bool same(const json::object& a, const json::object& b, std::string_view key) {
  const json::value* left = find_member(a, key);
  const json::value* right = find_member(b, key);
  return left == nullptr || right == nullptr ? left == right : *left == *right;
}

// The target of a port is the port itself unless given.
void set_port(json::object& port) {
  set_text_default(port, "protocol", "TCP");
  const json::value* target = find_member(port, "targetPort");
  const bool empty = target == nullptr || (target->is_string() && target->get_string().empty()) ||
                     (target->is_int64() && target->get_int64() == 0);
  if (const json::value* number = find_member(port, "port"); empty && number != nullptr) {
    const json::value copy = *number;
    port["targetPort"] = copy;
  }
}

void keep(json::object& spec, const json::object& old, std::string_view key) {
  const json::value* value = find_member(old, key);
  const json::value* present = find_member(spec, key);
  const bool empty = present == nullptr ||
                     (present->is_string() && present->get_string().empty()) ||
                     (present->is_array() && present->get_array().empty());
  if (value != nullptr && empty) {
    spec[key] = *value;
  }
}

// clusterIP is the first of clusterIPs; clients may give either.
void pair_addresses(json::object& spec) {
  const json::value* list = find_member(spec, "clusterIPs");
  const json::array* ips = list == nullptr ? nullptr : list->if_array();
  const std::string single(text(spec, "clusterIP"));
  if (!single.empty() && (ips == nullptr || ips->empty())) {
    json::array made;
    made.emplace_back(single);
    spec["clusterIPs"] = std::move(made);
  } else if (single.empty() && ips != nullptr && !ips->empty()) {
    const json::value first = ips->front();
    spec["clusterIP"] = first;
  }
}

void keep_node_ports(json::object& spec, const json::value& old) {
  each_object(spec, "ports", [&old](json::object& port) {
    if (has(port, "nodePort")) {
      return;
    }
    for (const json::value& before : get_array(old, "spec.ports")) {
      const json::object* was = before.if_object();
      if (was != nullptr && same(port, *was, "port") && same(port, *was, "protocol")) {
        if (const json::value* number = find_member(*was, "nodePort")) {
          port["nodePort"] = *number;
        }
        return;
      }
    }
  });
}

bool same_node_ports(json::object& spec, const json::value& old) {
  const json::array& before = get_array(old, "spec.ports");
  std::size_t index = 0;
  bool equal = true;
  each_object(spec, "ports", [&](json::object& port) {
    if (has(port, "nodePort")) {
      equal = equal && index < before.size() && before[index].is_object() &&
              same(port, before[index].get_object(), "nodePort");
    }
    ++index;
  });
  return equal;
}

void drop_what_type_lost(json::object& spec, const json::value& old, std::string_view type,
                         std::string_view old_type) {
  const json::object& before = get_object(old, "spec");
  if (needs_cluster_ip(old_type) && !needs_cluster_ip(type) && same(spec, before, "clusterIP")) {
    for (const std::string_view key : {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"}) {
      erase_key(spec, key);
    }
  }
  if (needs_node_port(old_type) && !needs_node_port(type) && same_node_ports(spec, old)) {
    each_object(spec, "ports", [](json::object& port) { erase_key(port, "nodePort"); });
  }
  if (old_type == "LoadBalancer" && type != "LoadBalancer") {
    for (const std::string_view key : {"allocateLoadBalancerNodePorts", "loadBalancerClass"}) {
      if (same(spec, before, key)) {
        erase_key(spec, key);
      }
    }
  }
  if (!is_external(spec, type) && is_external(before, old_type) &&
      same(spec, before, "externalTrafficPolicy")) {
    erase_key(spec, "externalTrafficPolicy");
  }
  if (!needs_cluster_ip(type) && same(spec, before, "internalTrafficPolicy")) {
    erase_key(spec, "internalTrafficPolicy");
  }
}

}  // namespace

void set_service(json::object& service) {
  json::object* spec = child(service, "spec");
  if (spec == nullptr) {
    return;
  }
  set_text_default(*spec, "sessionAffinity", "None");
  if (text(*spec, "sessionAffinity") == "None") {
    erase_key(*spec, "sessionAffinityConfig");
  } else if (text(*spec, "sessionAffinity") == "ClientIP") {
    if (json::object* config = child_default(*spec, "sessionAffinityConfig")) {
      if (json::object* client = child_default(*config, "clientIP")) {
        set_default(*client, "timeoutSeconds", kAffinitySeconds);
      }
    }
  }
  set_text_default(*spec, "type", "ClusterIP");
  each_object(*spec, "ports", set_port);
  const std::string type(text(*spec, "type"));
  if (is_external(*spec, type)) {
    set_text_default(*spec, "externalTrafficPolicy", "Cluster");
  }
  if (type == "ClusterIP" || needs_node_port(type)) {
    set_text_default(*spec, "internalTrafficPolicy", "Cluster");
  }
  if (type == "LoadBalancer") {
    set_default(*spec, "allocateLoadBalancerNodePorts", true);
  }
  if (json::object* status = child(service, "status")) {
    if (json::object* balancer = child(*status, "loadBalancer")) {
      each_object(*balancer, "ingress", [](json::object& ingress) {
        if (has(ingress, "ip")) {
          set_text_default(ingress, "ipMode", "VIP");
        }
      });
    }
  }
}

void prepare_service_create(json::object& service) {
  if (json::object* spec = child(service, "spec")) {
    pair_addresses(*spec);
  }
}

void prepare_service_update(json::object& service, const json::value& old) {
  json::object* spec = child(service, "spec");
  if (spec == nullptr) {
    return;
  }
  const json::object& before = get_object(old, "spec");
  // Who changed only the one of the pair meant both.
  if (!same(*spec, before, "clusterIP") && same(*spec, before, "clusterIPs")) {
    erase_key(*spec, "clusterIPs");
  }
  const std::string type(text(*spec, "type"));
  const std::string_view old_type = text(before, "type");
  if (needs_cluster_ip(type) && needs_cluster_ip(old_type)) {
    keep(*spec, before, "clusterIP");
    if (same(*spec, before, "clusterIP")) {
      keep(*spec, before, "clusterIPs");
    }
    keep(*spec, before, "ipFamilies");
    keep(*spec, before, "ipFamilyPolicy");
  }
  if (needs_node_port(type) && needs_node_port(old_type)) {
    keep_node_ports(*spec, old);
  }
  if (type == "LoadBalancer" && old_type == "LoadBalancer" &&
      text(*spec, "externalTrafficPolicy") == "Local") {
    keep(*spec, before, "healthCheckNodePort");
  }
  drop_what_type_lost(*spec, old, type, old_type);
  pair_addresses(*spec);
}

void set_endpoints(json::object& object) {
  each_object(object, "subsets", [](json::object& subset) {
    each_object(subset, "ports",
                [](json::object& port) { set_text_default(port, "protocol", "TCP"); });
  });
}

void set_endpoint_slice(json::object& object) {
  each_object(object, "ports", [](json::object& port) {
    set_default(port, "name", "");
    set_default(port, "protocol", "TCP");
  });
}

void set_network_policy(json::object& object) {
  json::object* spec = child(object, "spec");
  if (spec == nullptr) {
    return;
  }
  for (const std::string_view direction : {"ingress", "egress"}) {
    each_object(*spec, direction, [](json::object& rule) {
      each_object(rule, "ports",
                  [](json::object& port) { set_text_default(port, "protocol", "TCP"); });
    });
  }
  if (!has(*spec, "policyTypes")) {
    json::array types;
    types.emplace_back("Ingress");
    const json::value* egress = find_member(*spec, "egress");
    if (egress != nullptr && egress->is_array() && !egress->get_array().empty()) {
      types.emplace_back("Egress");
    }
    (*spec)["policyTypes"] = std::move(types);
  }
}

void set_ingress_class(json::object& object) {
  if (json::object* spec = child(object, "spec")) {
    if (json::object* parameters = child(*spec, "parameters")) {
      set_text_default(*parameters, "scope", "Cluster");
    }
  }
}

}  // namespace coracle::api::defaults
