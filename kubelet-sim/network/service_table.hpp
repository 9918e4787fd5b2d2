// ServiceTable: what Services mean for traffic: which addresses and ports are listened on, and
// which endpoints are behind each. Pure: Services, EndpointSlices and Nodes in, a table out. The
// rules are kube-proxy's:
//  - ready endpoints serve; where none is ready, those that still serve while they terminate do;
//  - externalTrafficPolicy Local sends what came to a node's address to the endpoints of that node;
//  - sessionAffinity ClientIP keeps a client on an endpoint for its time-out.
// Left out: what has no endpoint (nobody listens there, so clients are refused at once),
// headless and ExternalName Services, and addresses outside 127.0.0.0/8, which only look like some.
// internalTrafficPolicy Local is read as Cluster: a connection does not tell which node it is from.
//
// O(services x ports + endpoints), in the order of addresses.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "client/object_cache.hpp"

namespace coracle::network {

enum class Transport { kTcp, kUdp };

struct Listening {
  std::string address;  // "": every loopback address, of node ports
  std::uint16_t port = 0;
  Transport transport = Transport::kTcp;
  friend auto operator<=>(const Listening&, const Listening&) = default;
};

struct Endpoint {
  std::string address;
  std::uint16_t port = 0;
  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

struct Frontend {
  std::string service;  // "default/web"
  std::vector<Endpoint> endpoints;
  // Of the nodes by address, when externalTrafficPolicy is Local: for what comes to such an
  // address.
  std::map<std::string, std::vector<Endpoint>> of_node;
  bool by_node = false;
  Duration affinity{0};                    // 0: each connection chooses anew
  std::vector<std::string> source_ranges;  // CIDRs that may connect; empty: all
  friend bool operator==(const Frontend&, const Frontend&) = default;
};

using ServiceTable = std::map<Listening, Frontend>;
using Objects = std::vector<client::ObjectPtr>;

ServiceTable make_service_table(const Objects& services, const Objects& slices,
                                const Objects& nodes);

// The endpoints of a slice's port for this Service port, with what decides whether they are used.
struct SliceEndpoint {
  Endpoint endpoint;
  std::string node, hostname, pod;  // pod: the name of targetRef, when it is one
  bool ready = true, serving = true, terminating = false;
};
std::vector<SliceEndpoint> endpoints_of(const Objects& slices_of_service,
                                        std::string_view port_name, std::string_view protocol);
// Those that get traffic.
std::vector<SliceEndpoint> usable(std::vector<SliceEndpoint> all);

// Slices by "namespace/service".
std::map<std::string, Objects> slices_by_service(const Objects& slices);

bool is_loopback(std::string_view address);
// Whether an IPv4 address is in "10.0.0.0/8"; what is no such text contains nothing.
bool cidr_contains(std::string_view cidr, std::string_view address);

}  // namespace coracle::network
