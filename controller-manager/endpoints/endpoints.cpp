#include "endpoints/endpoints.hpp"

#include <map>

#include "api/object.hpp"
#include "endpoints/backends.hpp"

namespace coracle::controllers {
namespace {

struct Subset {
  json::array ready, not_ready;
};

json::value address_of(const json::value& service, const Backend& backend) {
  json::object address;
  const auto hostname = hostname_in(service, *backend.pod);
  if (!hostname.empty()) address["hostname"] = hostname;
  address["ip"] = get_string(*backend.pod, "status.podIP");
  const auto node = get_string(*backend.pod, "spec.nodeName");
  if (!node.empty()) address["nodeName"] = node;
  address["targetRef"] = target_reference(*backend.pod);
  return address;
}

// Addresses with the same ports share a subset.
json::array subsets_of(const json::value& service, const std::vector<Backend>& backends) {
  const bool headless = get_string(service, "spec.clusterIP") == "None";
  std::map<std::vector<BackendPort>, Subset> by_ports;
  size_t count = 0;
  for (const Backend& backend : backends) {
    if (backend.terminating && !backend.ready) continue;
    if (backend.ports.empty() && !headless) continue;
    if (++count > EndpointsController::kEndpointsMax) break;
    Subset& subset = by_ports[backend.ports];
    (backend.ready ? subset.ready : subset.not_ready).push_back(address_of(service, backend));
  }
  json::array subsets;
  for (auto& [ports, subset] : by_ports) {
    json::object out;
    if (!subset.ready.empty()) out["addresses"] = std::move(subset.ready);
    if (!subset.not_ready.empty()) out["notReadyAddresses"] = std::move(subset.not_ready);
    json::array list;
    for (const BackendPort& port : ports) {
      json::object p;
      if (!port.app_protocol.empty()) p["appProtocol"] = port.app_protocol;
      if (!port.name.empty()) p["name"] = port.name;
      p["port"] = port.port;
      p["protocol"] = port.protocol;
      list.push_back(std::move(p));
    }
    if (!list.empty()) out["ports"] = std::move(list);
    subsets.push_back(std::move(out));
  }
  return subsets;
}

}  // namespace

void EndpointsController::touched(const World& world, const client::Gvr& gvr,
                                  const json::value* before, const json::value* after,
                                  const Enqueue& enqueue) const {
  if (gvr == gvr::kPods) return enqueue_services(world, before, after, enqueue);
  enqueue(client::object_key(after != nullptr ? *after : *before));
}

Plan EndpointsController::reconcile(const World& world, const std::string& key, Instant) const {
  Plan plan;
  const auto [ns, service_name] = split_key(key);
  const ObjectPtr service = world.get(gvr::kServices, ns, service_name);
  const ObjectPtr had = world.get(gvr::kEndpoints, ns, service_name);
  if (service == nullptr || is_deleting(*service)) {
    // Only what this controller made: others' Endpoints may belong to no Service.
    const bool ours = had && api::label_of(*had, "endpoints.kubernetes.io/managed-by") == name();
    if (ours && !is_deleting(*had)) plan.remove(gvr::kEndpoints, *had);
    return plan;
  }
  if (!is_managed(*service)) return plan;
  plan.about = service;
  const bool headless = get_string(*service, "spec.clusterIP") == "None";
  json::array subsets = subsets_of(*service, backends_of(world, *service));
  json::object labels = api::labels_of(*service);
  labels["endpoints.kubernetes.io/managed-by"] = name();
  if (headless) labels["service.kubernetes.io/headless"] = "";
  if (had && get_array(*had, "subsets") == subsets && api::labels_of(*had) == labels) return plan;

  json::value object = had ? *had : json::value(json::object());
  set_path(object, "apiVersion", json::value("v1"));
  set_path(object, "kind", json::value("Endpoints"));
  set_path(object, "metadata.name", json::value(service_name));
  set_path(object, "metadata.namespace", json::value(ns));
  set_path(object, "metadata.labels", std::move(labels));
  object.get_object()["subsets"] = std::move(subsets);
  if (had)
    plan.update(gvr::kEndpoints, std::move(object));
  else
    plan.create(gvr::kEndpoints, std::move(object));
  return plan;
}

}  // namespace coracle::controllers
