#include <algorithm>
#include <string>

#include "api/columns/cells.hpp"
#include "api/columns/columns.hpp"
#include "api/object.hpp"
#include "api/selectors.hpp"
#include "base/strings.hpp"

namespace coracle::api {
namespace {

std::vector<std::string> strings_at(const json::value& object, std::string_view path) {
  std::vector<std::string> out;
  for (const json::value& item : get_array(object, path)) {
    out.push_back(cells::scalar_text(&item));
  }
  return out;
}

// Addresses a load balancer was given, each once, in byte order.
std::vector<std::string> balancer_addresses(const json::value& object) {
  std::vector<std::string> out;
  for (const json::value& ingress : get_array(object, "status.loadBalancer.ingress")) {
    const std::string_view ip = get_string(ingress, "ip");
    const std::string_view address = ip.empty() ? get_string(ingress, "hostname") : ip;
    if (!address.empty()) {
      out.emplace_back(address);
    }
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

json::value service_cluster_ip(const json::value& service, WallTime) {
  const json::array& ips = get_array(service, "spec.clusterIPs");
  const std::string_view ip = ips.empty() || !ips.front().is_string()
                                  ? get_string(service, "spec.clusterIP")
                                  : std::string_view(ips.front().get_string());
  return cells::text_or(ip, cells::kNone);
}

json::value service_external_ip(const json::value& service, WallTime) {
  const std::string_view type = get_string(service, "spec.type");
  const std::vector<std::string> external = strings_at(service, "spec.externalIPs");
  if (type == "ClusterIP" || type == "NodePort") {
    return cells::text_or(join(external, ","), cells::kNone);
  }
  if (type == "LoadBalancer") {
    std::vector<std::string> all = balancer_addresses(service);
    all.insert(all.end(), external.begin(), external.end());
    return cells::text_or(join(all, ","), "<pending>");
  }
  if (type == "ExternalName") {
    return cells::text(get_string(service, "spec.externalName"));
  }
  return cells::text(cells::kUnknown);
}

json::value service_ports(const json::value& service, WallTime) {
  std::vector<std::string> parts;
  for (const json::value& port : get_array(service, "spec.ports")) {
    std::string text = std::to_string(get_int(port, "port"));
    if (const auto node_port = get_int(port, "nodePort"); node_port > 0) {
      text += ":" + std::to_string(node_port);
    }
    parts.push_back(text + "/" + std::string(get_string(port, "protocol")));
  }
  return cells::text_or(join(parts, ","), cells::kNone);
}

json::value selector_map(const json::value& object, WallTime) {
  return cells::text(cells::labels_text(get_object(object, "spec.selector")));
}

std::string host_port(std::string_view ip, std::int64_t port) {
  const bool v6 = ip.find(':') != std::string_view::npos;
  return (v6 ? "[" + std::string(ip) + "]" : std::string(ip)) + ":" + std::to_string(port);
}

json::value endpoints_list(const json::value& endpoints, WallTime) {
  std::vector<std::string> list;
  for (const json::value& subset : get_array(endpoints, "subsets")) {
    const json::array& ports = get_array(subset, "ports");
    for (const json::value& port : ports) {
      for (const json::value& address : get_array(subset, "addresses")) {
        list.push_back(host_port(get_string(address, "ip"), get_int(port, "port")));
      }
    }
    if (ports.empty()) {
      for (const json::value& address : get_array(subset, "addresses")) {
        list.emplace_back(get_string(address, "ip"));
      }
    }
  }
  // With subsets but nothing ready upstream leaves the cell empty.
  const bool none = get_array(endpoints, "subsets").empty();
  return cells::text(cells::first_three(list, none ? cells::kNone : std::string_view()));
}

json::value slice_ports(const json::value& slice, WallTime) {
  std::vector<std::string> list;
  for (const json::value& port : get_array(slice, "ports")) {
    std::string text = cells::scalar_text(find(port, "port"));
    if (text.empty()) {
      const json::value* name = find(port, "name");
      text = name != nullptr ? cells::scalar_text(name) : "*";
    }
    list.push_back(text);
  }
  return cells::text(cells::first_three(list, cells::kUnset));
}

json::value slice_endpoints(const json::value& slice, WallTime) {
  std::vector<std::string> list;
  for (const json::value& endpoint : get_array(slice, "endpoints")) {
    for (const json::value& address : get_array(endpoint, "addresses")) {
      list.push_back(cells::scalar_text(&address));
    }
  }
  return cells::text(cells::first_three(list, cells::kUnset));
}

json::value ingress_class(const json::value& ingress, WallTime) {
  const std::string_view name = get_string(ingress, "spec.ingressClassName");
  return cells::text_or(name.empty() ? annotation_of(ingress, "kubernetes.io/ingress.class") : name,
                        cells::kNone);
}

json::value ingress_hosts(const json::value& ingress, WallTime) {
  const json::array& rules = get_array(ingress, "spec.rules");
  std::vector<std::string> hosts;
  for (const json::value& rule : rules) {
    if (const auto host = get_string(rule, "host"); !host.empty()) {
      hosts.emplace_back(host);
    }
  }
  return cells::text(cells::first_three(hosts, "*"));
}

json::value ingress_address(const json::value& ingress, WallTime) {
  return cells::text(join(balancer_addresses(ingress), ","));
}

json::value ingress_ports(const json::value& ingress, WallTime) {
  return cells::text(get_array(ingress, "spec.tls").empty() ? "80" : "80, 443");
}

json::value ingress_class_parameters(const json::value& object, WallTime) {
  const json::value* parameters = find(object, "spec.parameters");
  if (parameters == nullptr) {
    return cells::text(cells::kNone);
  }
  std::string text(get_string(*parameters, "kind"));
  if (const auto group = get_string(*parameters, "apiGroup"); !group.empty()) {
    text += "." + std::string(group);
  }
  return cells::text(text + "/" + std::string(get_string(*parameters, "name")));
}

json::value policy_pod_selector(const json::value& policy, WallTime) {
  return cells::text(format_label_selector(find(policy, "spec.podSelector")));
}

json::value service_cidrs(const json::value& object, WallTime) {
  return cells::text(join(strings_at(object, "spec.cidrs"), ","));
}

json::value ip_address_parent(const json::value& object, WallTime) {
  const json::value* parent = find(object, "spec.parentRef");
  if (parent == nullptr) {
    return cells::text(cells::kNone);
  }
  std::string text(get_string(*parent, "resource"));
  if (const auto group = get_string(*parent, "group"); !group.empty()) {
    text += "." + std::string(group);
  }
  if (const auto ns = get_string(*parent, "namespace"); !ns.empty()) {
    text += "/" + std::string(ns);
  }
  return cells::text(text + "/" + std::string(get_string(*parent, "name")));
}

constexpr ColumnHook kColumns[] = {
    {"service.clusterIP", service_cluster_ip},
    {"service.externalIP", service_external_ip},
    {"service.ports", service_ports},
    {"selector.map", selector_map},
    {"endpoints.list", endpoints_list},
    {"endpointslice.ports", slice_ports},
    {"endpointslice.endpoints", slice_endpoints},
    {"ingress.class", ingress_class},
    {"ingress.hosts", ingress_hosts},
    {"ingress.address", ingress_address},
    {"ingress.ports", ingress_ports},
    {"ingressclass.parameters", ingress_class_parameters},
    {"networkpolicy.podSelector", policy_pod_selector},
    {"servicecidr.cidrs", service_cidrs},
    {"ipaddress.parent", ip_address_parent},
};

}  // namespace

std::span<const ColumnHook> network_columns() { return kColumns; }

}  // namespace coracle::api
