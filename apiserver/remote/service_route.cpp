#include "apiserver/remote/service_route.hpp"

#include <optional>

#include "api/object.hpp"
#include "base/strings.hpp"

namespace coracle::apiserver {

namespace {

json::value tree_of_cached(const CachedObject& object) {
  auto tree = parse_json("{" + *object.tail());
  CHECK(tree.ok());
  return *std::move(tree);
}

bool is_tcp(const json::value& port) { return get_string(port, "protocol", "TCP") == "TCP"; }

// The number of the port of that name there.
std::optional<int> named_port(const json::array& ports, std::string_view name) {
  for (const json::value& port : ports) {
    if (get_string(port, "name") == name && is_tcp(port)) {
      return static_cast<int>(get_int(port, "port"));
    }
  }
  return std::nullopt;
}

void add_routes(const json::array& addresses, std::optional<int> port,
                std::vector<ServiceRoute>& out) {
  if (!port) return;
  for (const json::value& address : addresses) {
    const std::string host(address.is_string() ? std::string_view(address.get_string())
                                               : get_string(address, "ip"));
    if (!host.empty()) out.push_back({host, static_cast<std::uint16_t>(*port)});
  }
}

// Whether there are slices at all: then Endpoints count for nothing.
bool routes_of_slices(const StoreFeed& feed, const ServicePortName& to, std::string_view port,
                      std::vector<ServiceRoute>& out) {
  const ResourceCache* slices = feed.cache("endpointslices");
  if (slices == nullptr) return false;
  bool any = false;
  slices->scan(to.ns, "", [&](const ObjectPtr& object) {
    const json::value* service = find_member(object->labels(), "kubernetes.io/service-name");
    if (service == nullptr || *service != json::value(to.name)) return true;
    any = true;
    const json::value slice = tree_of_cached(*object);
    const auto number = named_port(get_array(slice, "ports"), port);
    for (const json::value& endpoint : get_array(slice, "endpoints")) {
      if (!get_bool(endpoint, "conditions.ready", true)) continue;
      add_routes(get_array(endpoint, "addresses"), number, out);
    }
    return true;
  });
  return any;
}

}  // namespace

Result<ServiceRoute> route_to_service(const StoreFeed& feed, Rng& rng, const ServicePortName& to) {
  const std::string key = to.ns + "/" + to.name;
  const json::value service = feed.tree_at("services/specs", key);
  if (service.is_null()) return not_found("service " + quoted(to.name) + " not found");
  const json::value* port = nullptr;
  for (const json::value& candidate : get_array(service, "spec.ports")) {
    if (get_int(candidate, "port") == to.port) port = &candidate;
  }
  const std::string_view type = get_string(service, "spec.type", "ClusterIP");
  if (type == "ExternalName") {
    return ServiceRoute{std::string(get_string(service, "spec.externalName")),
                        static_cast<std::uint16_t>(to.port)};
  }
  if (port == nullptr) {
    return unavailable("no service port " + std::to_string(to.port) + " found for service " +
                       quoted(to.name));
  }
  std::vector<ServiceRoute> routes;
  const std::string_view name = get_string(*port, "name");
  if (!routes_of_slices(feed, to, name, routes)) {
    const json::value endpoints = feed.tree_at("services/endpoints", key);
    for (const json::value& subset : get_array(endpoints, "subsets")) {
      add_routes(get_array(subset, "addresses"), named_port(get_array(subset, "ports"), name),
                 routes);
    }
  }
  if (routes.empty()) {
    return unavailable("no endpoints available for service " + quoted(to.name));
  }
  return routes[rng.below(routes.size())];
}

}  // namespace coracle::apiserver
