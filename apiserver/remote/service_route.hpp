// service_route: where a Service's port is served: the address of a ready endpoint, from the watch
// caches. Reads EndpointSlices, and Endpoints where there are no slices.
#pragma once

#include <string>

#include "apiserver/cache/feed.hpp"
#include "base/rng.hpp"

namespace coracle::apiserver {

struct ServicePortName {
  std::string ns, name;
  int port = 443;

  std::string server_name() const { return name + "." + ns + ".svc"; }
};
struct ServiceRoute {
  std::string host;
  std::uint16_t port = 0;
};
// NotFound `service "x" not found`; Unavailable `no endpoints available for service "x"`,
// `no service port 443 found for service "x"`; InvalidArgument for types that lead nowhere.
Result<ServiceRoute> route_to_service(const StoreFeed& feed, Rng& rng, const ServicePortName& to);

}  // namespace coracle::apiserver
