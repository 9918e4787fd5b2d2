#include "apiserver/aggregation/availability.hpp"

#include "api/discovery.hpp"
#include "apiserver/aggregation/front_proxy.hpp"
#include "base/strings.hpp"

namespace coracle::apiserver {

namespace {

// Whether there are slices of the service, and one with an address behind the port of that name.
struct Slices {
  bool any = false, serving = false;
};
Slices look_at_slices(const StoreFeed& feed, const ServicePortName& to, std::string_view port) {
  Slices out;
  const ResourceCache* slices = feed.cache("endpointslices");
  if (slices == nullptr) return out;
  slices->scan(to.ns, "", [&](const ObjectPtr& object) {
    const json::value* service = find_member(object->labels(), "kubernetes.io/service-name");
    if (service == nullptr || *service != json::value(to.name)) return true;
    out.any = true;
    const auto slice = parse_json("{" + *object->tail());
    CHECK(slice.ok());
    bool ready = false, named = false;
    for (const json::value& endpoint : get_array(*slice, "endpoints")) {
      ready = ready || get_bool(endpoint, "conditions.ready", true);
    }
    for (const json::value& one : get_array(*slice, "ports")) {
      named = named || get_string(one, "name") == port;
    }
    out.serving = out.serving || (ready && named);
    return true;
  });
  return out;
}

// The resources of this group version in an APIGroupDiscoveryList.
std::optional<json::array> resources_of(const json::value& list, const RemoteVersion& remote) {
  for (const json::value& group : get_array(list, "items")) {
    if (get_string(group, "metadata.name") != remote.group) continue;
    for (const json::value& version : get_array(group, "versions")) {
      if (get_string(version, "version") == remote.version) return get_array(version, "resources");
    }
  }
  return std::nullopt;
}

std::string hash_of(const json::value& index, const RemoteVersion& remote) {
  const json::value* entry =
      find_keys(index, {"paths", "apis/" + remote.group + "/" + remote.version});
  if (entry == nullptr) return {};
  const std::string url(get_string(*entry, "serverRelativeURL"));
  const std::size_t at = url.find("hash=");
  return at == std::string::npos ? "0" : url.substr(at + 5);
}

}  // namespace

AvailableCondition Availability::local() {
  return {true, "Local", "Local APIServices are always available"};
}

std::optional<AvailableCondition> Availability::check_service(const RemoteVersion& remote) const {
  const ServicePortName& to = remote.service;
  const std::string where = "service/" + to.name + " in " + quoted(to.ns);
  const json::value service = feed_.tree_at("services/specs", to.ns + "/" + to.name);
  if (service.is_null()) {
    return AvailableCondition{false, "ServiceNotFound", where + " is not present"};
  }
  if (get_string(service, "spec.type", "ClusterIP") != "ClusterIP") return std::nullopt;
  const json::value* port = nullptr;
  for (const json::value& candidate : get_array(service, "spec.ports")) {
    if (get_int(candidate, "port") == to.port) port = &candidate;
  }
  if (port == nullptr) {
    return AvailableCondition{false, "ServicePortError",
                              where + " is not listening on port " + std::to_string(to.port)};
  }
  const std::string_view name = get_string(*port, "name");
  const Slices slices = look_at_slices(feed_, to, name);
  if (!slices.any) {
    return AvailableCondition{false, "EndpointsNotFound",
                              "cannot find endpointslices for " + where};
  }
  if (!slices.serving) {
    return AvailableCondition{
        false, "MissingEndpoints",
        "endpointslices for " + where + " have no addresses with port name " + quoted(name)};
  }
  return std::nullopt;
}

Task<Status> Availability::probe(RemoteVersion remote) {
  const auto route = remote.route(feed_, rng_);
  if (!route.ok()) co_return route.status();
  const bool ipv6 = route->host.find(':') != std::string::npos;
  const std::string url = "https://" + (ipv6 ? "[" + route->host + "]" : route->host) + ":" +
                          std::to_string(route->port) + remote.path();
  const std::string failing = "failing or missing response from " + url + ": ";
  if (remote_ == nullptr) co_return unavailable(failing + "this server calls no others");
  net::ClientRequest request = aggregator_request(remote.path(), "application/json");
  request.timeout = kProbeTimeout;
  const auto answer = co_await remote_->call(*route, std::move(request));
  if (!answer.ok()) {
    const bool late = answer.status().code() == Code::kDeadlineExceeded;
    co_return Status(answer.status().code(),
                     failing + "Get " + quoted(url) + ": " +
                         (late ? "context deadline exceeded" : answer.status().message()));
  }
  if (answer->status < 200 || answer->status >= 300) {
    co_return unavailable(failing + "bad status from " + url + ": " +
                          std::to_string(answer->status));
  }
  co_return Status();
}

Task<AvailableCondition> Availability::check(RemoteVersion remote) {
  if (const auto broken = check_service(remote)) co_return *broken;
  const TimePoint since = executor_.now();
  Status last;
  for (int i = 0; i < kProbesMax; ++i) {
    last = co_await probe(remote);
    if (last.ok()) co_return AvailableCondition{true, "Passed", "all checks passed"};
    if (executor_.now() - since >= kProbeTimeout) break;
  }
  co_return AvailableCondition{false, "FailedDiscoveryCheck", last.message()};
}

Task<std::optional<json::value>> Availability::fetch(RemoteVersion remote, std::string target,
                                                     std::string accept) {
  const auto route = remote.route(feed_, rng_);
  if (!route.ok() || remote_ == nullptr) co_return std::nullopt;
  net::ClientRequest request = aggregator_request(std::move(target), accept);
  request.timeout = kProbeTimeout;
  const auto answer = co_await remote_->call(*route, std::move(request));
  if (!answer.ok() || answer->status != 200) co_return std::nullopt;
  std::string body = answer->body;
  for (const net::Bytes& chunk : answer->chunks) body += *chunk;
  if (body.size() > kDiscoveryMax) co_return std::nullopt;
  auto tree = parse_json(body);
  if (!tree.ok() || !tree->is_object()) co_return std::nullopt;
  co_return *std::move(tree);
}

Task<RemoteDiscovery> Availability::discover(RemoteVersion remote) {
  RemoteDiscovery out;
  out.group = remote.group;
  out.version = remote.version;
  out.group_priority = remote.group_priority;
  out.version_priority = remote.version_priority;
  out.available = true;
  const auto all = co_await fetch(remote, "/apis",
                                  std::string(api::kAggregatedContentType) + ",application/json");
  std::optional<json::array> found;
  if (all && get_string(*all, "kind") == "APIGroupDiscoveryList")
    found = resources_of(*all, remote);
  if (!found) {
    const auto own = co_await fetch(remote, remote.path(), "application/json");
    if (own) found = aggregated_resources(*own);
  }
  if (found) out.resources = *std::move(found);
  const auto index = co_await fetch(remote, "/openapi/v3", "application/json");
  if (index) out.openapi_hash = hash_of(*index, remote);
  co_return out;
}

}  // namespace coracle::apiserver
