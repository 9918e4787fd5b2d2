#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "api/object.hpp"
#include "endpoints/backends.hpp"
#include "endpoints/endpoints.hpp"

namespace coracle::controllers {
namespace {

constexpr char kServiceLabel[] = "kubernetes.io/service-name";
constexpr char kManagedBy[] = "endpointslice.kubernetes.io/managed-by";
constexpr char kManager[] = "endpointslice-controller.k8s.io";

bool is_ours(const json::value& slice) { return api::label_of(slice, kManagedBy) == kManager; }

constexpr char kZone[] = "topology.kubernetes.io/zone";

std::string_view zone_of(const World& world, std::string_view node) {
  const ObjectPtr object = world.get(gvr::kNodes, "", std::string(node));
  return object == nullptr ? std::string_view() : api::label_of(*object, kZone);
}

// Which consumers an endpoint is for, where the Service prefers near ones.
void set_hints(json::value& endpoint, std::string_view distribution) {
  const auto hint = [&](const char* list, std::string_view name) {
    if (name.empty()) return;
    make_object(endpoint, "hints")[list].emplace_array().push_back(json::object{{"name", name}});
  };
  if (distribution == "PreferSameNode") hint("forNodes", get_string(endpoint, "nodeName"));
  if (!distribution.empty()) hint("forZones", get_string(endpoint, "zone"));
}

json::value endpoint_of(const World& world, const json::value& service, const Backend& backend) {
  json::value e = json::object();
  set_path(e, "addresses", json::array({get_string(*backend.pod, "status.podIP")}));
  set_path(e, "conditions.ready", json::value(backend.ready));
  set_path(e, "conditions.serving", json::value(backend.serving));
  set_path(e, "conditions.terminating", json::value(backend.terminating));
  const auto hostname = hostname_in(service, *backend.pod);
  if (!hostname.empty()) set_path(e, "hostname", json::value(hostname));
  const auto node = get_string(*backend.pod, "spec.nodeName");
  if (!node.empty()) set_path(e, "nodeName", json::value(node));
  set_path(e, "targetRef", target_reference(*backend.pod));
  const auto zone = zone_of(world, node);
  if (!zone.empty()) set_path(e, "zone", json::value(zone));
  if (backend.ready) set_hints(e, get_string(service, "spec.trafficDistribution"));
  return e;
}

json::array ports_of(const std::vector<BackendPort>& ports) {
  json::array list;
  for (const BackendPort& port : ports) {
    json::object p;
    if (!port.app_protocol.empty()) p["appProtocol"] = port.app_protocol;
    p["name"] = port.name;
    p["port"] = port.port;
    p["protocol"] = port.protocol;
    list.push_back(std::move(p));
  }
  return list;
}

json::object labels_of_slice(const json::value& service) {
  json::object labels = api::labels_of(service);
  labels[kManagedBy] = kManager;
  labels[kServiceLabel] = api::name_of(service);
  if (get_string(service, "spec.clusterIP") == "None")
    labels["service.kubernetes.io/headless"] = "";
  return labels;
}

json::value new_slice(const json::value& service, json::array endpoints, const json::value& ports) {
  json::value slice = json::object();
  set_path(slice, "addressType", json::value("IPv4"));
  set_path(slice, "apiVersion", json::value("discovery.k8s.io/v1"));
  set_path(slice, "kind", json::value("EndpointSlice"));
  set_path(slice, "metadata.generateName", json::value(fmt::format("{}-", api::name_of(service))));
  set_path(slice, "metadata.namespace", json::value(api::namespace_of(service)));
  set_path(slice, "metadata.labels", labels_of_slice(service));
  json::array owners;
  owners.push_back(api::controller_reference(service));
  set_path(slice, "metadata.ownerReferences", std::move(owners));
  set_path(slice, "endpoints", std::move(endpoints));
  set_path(slice, "ports", ports);
  return slice;
}

// The slices wanted: endpoints of equal ports together, kSliceMax each; one without endpoints when
// there are none, so that readers know.
std::vector<std::pair<json::value, json::array>> wanted_slices(const World& world,
                                                               const json::value& service) {
  std::map<std::vector<BackendPort>, json::array> by_ports;
  for (const Backend& backend : backends_of(world, service)) {
    by_ports[backend.ports].push_back(endpoint_of(world, service, backend));
  }
  std::vector<std::pair<json::value, json::array>> wanted;
  for (auto& [ports, endpoints] : by_ports) {
    json::array part;
    for (json::value& e : endpoints) {
      part.push_back(std::move(e));
      if (part.size() == EndpointSliceController::kSliceMax) {
        wanted.emplace_back(ports_of(ports), std::move(part));
        part = json::array();
      }
    }
    if (!part.empty()) wanted.emplace_back(ports_of(ports), std::move(part));
  }
  if (wanted.empty()) wanted.emplace_back(nullptr, json::array());
  return wanted;
}

}  // namespace

void EndpointSliceController::touched(const World& world, const client::Gvr& gvr,
                                      const json::value* before, const json::value* after,
                                      const Enqueue& enqueue) const {
  if (gvr == gvr::kPods) return enqueue_services(world, before, after, enqueue);
  const json::value& object = after != nullptr ? *after : *before;
  if (gvr == gvr::kServices) return enqueue(client::object_key(object));
  if (gvr == gvr::kNodes) {
    const auto zone = [](const json::value* node) {
      return node == nullptr ? std::string_view() : api::label_of(*node, kZone);
    };
    if (zone(before) == zone(after)) return;
    for (const ObjectPtr& pod :
         world.of(gvr::kPods).by_index(kNodeIndex, std::string(api::name_of(object)))) {
      enqueue_services(world, nullptr, pod.get(), enqueue);
    }
    return;
  }
  const auto service = api::label_of(object, kServiceLabel);
  if (is_ours(object) && !service.empty()) {
    enqueue(fmt::format("{}/{}", api::namespace_of(object), service));
  }
}

// Keeps as many slices as they are, changes those that differ, adds and removes the rest.
Plan EndpointSliceController::reconcile(const World& world, const std::string& key, Instant) const {
  Plan plan;
  const auto [ns, service_name] = split_key(key);
  const ObjectPtr service = world.get(gvr::kServices, ns, service_name);
  std::vector<ObjectPtr> had;
  for (ObjectPtr& slice : world.in_namespace(gvr::kEndpointSlices, ns)) {
    if (is_ours(*slice) && api::label_of(*slice, kServiceLabel) == service_name &&
        !is_deleting(*slice)) {
      had.push_back(std::move(slice));
    }
  }
  if (service == nullptr || is_deleting(*service) || !is_managed(*service)) {
    for (const ObjectPtr& slice : had) plan.remove(gvr::kEndpointSlices, *slice);
    return plan;
  }
  plan.about = service;
  auto wanted = wanted_slices(world, *service);
  const json::object labels = labels_of_slice(*service);
  const auto ports = [](const json::value& slice) {
    const json::value* p = find(slice, "ports");
    return p == nullptr ? json::value(nullptr) : *p;
  };
  // Exact matches stay untouched.
  std::erase_if(wanted, [&](const auto& want) {
    const auto same = std::find_if(had.begin(), had.end(), [&](const ObjectPtr& slice) {
      return ports(*slice) == want.first && get_array(*slice, "endpoints") == want.second &&
             api::labels_of(*slice) == labels;
    });
    if (same == had.end()) return false;
    had.erase(same);
    return true;
  });
  for (auto& [want_ports, endpoints] : wanted) {
    // One with the same ports is changed rather than replaced; a name must not flicker.
    auto reuse = std::find_if(had.begin(), had.end(),
                              [&, p = &want_ports](const ObjectPtr& s) { return ports(*s) == *p; });
    if (reuse == had.end()) reuse = had.begin();
    if (reuse == had.end()) {
      plan.create(gvr::kEndpointSlices, new_slice(*service, std::move(endpoints), want_ports));
      continue;
    }
    json::value changed = **reuse;
    set_path(changed, "endpoints", std::move(endpoints));
    set_path(changed, "ports", want_ports);
    set_path(changed, "metadata.labels", labels);
    plan.update(gvr::kEndpointSlices, std::move(changed));
    had.erase(reuse);
  }
  for (const ObjectPtr& slice : had) plan.remove(gvr::kEndpointSlices, *slice);
  return plan;
}

}  // namespace coracle::controllers
