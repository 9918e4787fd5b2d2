#include "network/service_table.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <optional>
#include <set>

#include "api/object.hpp"
#include "base/strings.hpp"

namespace coracle::network {
namespace {

std::optional<std::uint32_t> ipv4(std::string_view text) {
  in_addr address{};
  if (inet_pton(AF_INET, std::string(text).c_str(), &address) != 1) return std::nullopt;
  return ntohl(address.s_addr);
}

std::vector<Endpoint> places(const std::vector<SliceEndpoint>& endpoints) {
  std::set<Endpoint> unique;  // an endpoint may stand in two slices while it moves
  for (const SliceEndpoint& e : endpoints) unique.insert(e.endpoint);
  return {unique.begin(), unique.end()};
}

std::optional<Transport> transport_of(const json::value& port) {
  const std::string_view protocol = get_string(port, "protocol", "TCP");
  if (protocol == "TCP") return Transport::kTcp;
  if (protocol == "UDP") return Transport::kUdp;
  return std::nullopt;  // SCTP carries nothing here
}

// The addresses of the nodes, by name.
std::map<std::string, std::vector<std::string>> node_addresses(const Objects& nodes) {
  std::map<std::string, std::vector<std::string>> found;
  for (const client::ObjectPtr& node : nodes) {
    for (const json::value& address : get_array(*node, "status.addresses")) {
      const std::string_view type = get_string(address, "type");
      if (type != "InternalIP" && type != "ExternalIP") continue;
      found[std::string(api::name_of(*node))].emplace_back(get_string(address, "address"));
    }
  }
  return found;
}

class Builder {
 public:
  Builder(const Objects& slices, const Objects& nodes)
      : slices_(slices_by_service(slices)), nodes_(node_addresses(nodes)) {}

  void add(const json::value& service) {
    if (get_string(service, "spec.type") == "ExternalName") return;
    for (const json::value& port : get_array(service, "spec.ports")) add_port(service, port);
  }
  ServiceTable take() { return std::move(table_); }

 private:
  void add_port(const json::value& service, const json::value& port) {
    const auto transport = transport_of(port);
    const std::string key = client::object_key(service);
    const auto slices = slices_.find(key);
    if (!transport || slices == slices_.end()) return;
    const auto all = usable(endpoints_of(slices->second, get_string(port, "name"),
                                         get_string(port, "protocol", "TCP")));
    if (all.empty()) return;
    Frontend inside;
    inside.service = key;
    inside.endpoints = places(all);
    if (get_string(service, "spec.sessionAffinity") == "ClientIP") {
      inside.affinity = std::chrono::seconds(
          get_int(service, "spec.sessionAffinityConfig.clientIP.timeoutSeconds", 10'800));
    }
    Frontend outside = inside;
    if (get_string(service, "spec.externalTrafficPolicy") == "Local") split(all, &outside);
    const auto number = static_cast<std::uint16_t>(get_int(port, "port"));
    for (const std::string& address : cluster_addresses(service)) {
      put({address, number, *transport}, inside);
    }
    for (const json::value& address : get_array(service, "spec.externalIPs")) {
      if (address.is_string()) put({address.get_string().c_str(), number, *transport}, outside);
    }
    Frontend balanced = inside;  // a load balancer sends to nodes that have an endpoint
    for (const json::value& range : get_array(service, "spec.loadBalancerSourceRanges")) {
      if (range.is_string()) balanced.source_ranges.emplace_back(range.get_string());
    }
    for (const json::value& ingress : get_array(service, "status.loadBalancer.ingress")) {
      put({std::string(get_string(ingress, "ip")), number, *transport}, balanced);
    }
    const auto node_port = static_cast<std::uint16_t>(get_int(port, "nodePort"));
    if (node_port != 0) table_.emplace(Listening{"", node_port, *transport}, outside);
  }

  static std::vector<std::string> cluster_addresses(const json::value& service) {
    std::vector<std::string> addresses;
    for (const json::value& address : get_array(service, "spec.clusterIPs")) {
      if (address.is_string()) addresses.emplace_back(address.get_string());
    }
    if (addresses.empty()) addresses.emplace_back(get_string(service, "spec.clusterIP"));
    return addresses;
  }

  void split(const std::vector<SliceEndpoint>& all, Frontend* frontend) const {
    frontend->by_node = true;
    for (const auto& [node, addresses] : nodes_) {
      std::vector<SliceEndpoint> here;
      std::copy_if(all.begin(), all.end(), std::back_inserter(here),
                   [&](const SliceEndpoint& e) { return e.node == node; });
      for (const std::string& address : addresses) frontend->of_node[address] = places(here);
    }
  }

  // Of two Services with one address the first in the order of names has it.
  void put(Listening at, const Frontend& frontend) {
    if (is_loopback(at.address) && at.port != 0) table_.emplace(std::move(at), frontend);
  }

  const std::map<std::string, Objects> slices_;
  const std::map<std::string, std::vector<std::string>> nodes_;
  ServiceTable table_;
};

}  // namespace

bool is_loopback(std::string_view address) {
  const auto number = ipv4(address);
  return number && (*number >> 24) == 127;
}

bool cidr_contains(std::string_view cidr, std::string_view address) {
  const size_t slash = cidr.find('/');
  if (slash == cidr.npos) return false;
  const auto network = ipv4(cidr.substr(0, slash)), asked = ipv4(address);
  long long bits = 0;
  if (!network || !asked || !parse_int(cidr.substr(slash + 1), &bits) || bits < 0 || bits > 32) {
    return false;
  }
  const std::uint32_t mask = bits == 0 ? 0 : ~std::uint32_t{0} << (32 - bits);
  return (*network & mask) == (*asked & mask);
}

std::map<std::string, Objects> slices_by_service(const Objects& slices) {
  std::map<std::string, Objects> found;
  for (const client::ObjectPtr& slice : slices) {
    const std::string_view service = api::label_of(*slice, "kubernetes.io/service-name");
    if (service.empty() || get_string(*slice, "addressType", "IPv4") != "IPv4") continue;
    found[std::string(api::namespace_of(*slice)) + "/" + std::string(service)].push_back(slice);
  }
  return found;
}

std::vector<SliceEndpoint> endpoints_of(const Objects& slices_of_service,
                                        std::string_view port_name, std::string_view protocol) {
  std::vector<SliceEndpoint> found;
  for (const client::ObjectPtr& slice : slices_of_service) {
    for (const json::value& port : get_array(*slice, "ports")) {
      const std::int64_t number = get_int(port, "port");
      if (get_string(port, "name") != port_name || number <= 0 || number > 65535 ||
          get_string(port, "protocol", "TCP") != protocol) {
        continue;
      }
      for (const json::value& e : get_array(*slice, "endpoints")) {
        SliceEndpoint endpoint;
        endpoint.ready = get_bool(e, "conditions.ready", true);
        endpoint.serving = get_bool(e, "conditions.serving", endpoint.ready);
        endpoint.terminating = get_bool(e, "conditions.terminating");
        endpoint.node = get_string(e, "nodeName");
        endpoint.hostname = get_string(e, "hostname");
        if (get_string(e, "targetRef.kind") == "Pod")
          endpoint.pod = get_string(e, "targetRef.name");
        endpoint.endpoint.port = static_cast<std::uint16_t>(number);
        for (const json::value& address : get_array(e, "addresses")) {
          if (!address.is_string()) continue;
          endpoint.endpoint.address = address.get_string();
          found.push_back(endpoint);
        }
      }
    }
  }
  return found;
}

std::vector<SliceEndpoint> usable(std::vector<SliceEndpoint> all) {
  const bool any_ready =
      std::any_of(all.begin(), all.end(), [](const SliceEndpoint& e) { return e.ready; });
  std::erase_if(all, [&](const SliceEndpoint& e) {
    return any_ready ? !e.ready : !(e.serving && e.terminating);
  });
  return all;
}

ServiceTable make_service_table(const Objects& services, const Objects& slices,
                                const Objects& nodes) {
  Builder builder(slices, nodes);
  for (const client::ObjectPtr& service : services) builder.add(*service);
  return builder.take();
}

}  // namespace coracle::network
