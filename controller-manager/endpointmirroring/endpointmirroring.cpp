#include "endpointmirroring/endpointmirroring.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "api/object.hpp"
#include "controllers/pods.hpp"

namespace coracle::controllers {
namespace {

constexpr char kServiceLabel[] = "kubernetes.io/service-name";
constexpr char kManagedBy[] = "endpointslice.kubernetes.io/managed-by";
constexpr char kManager[] = "endpointslicemirroring-controller.k8s.io";
constexpr char kSkip[] = "endpointslice.kubernetes.io/skip-mirror";
constexpr char kLeader[] = "control-plane.alpha.kubernetes.io/leader";
constexpr char kLastChange[] = "endpoints.kubernetes.io/last-change-trigger-time";

bool is_ours(const json::value& slice) { return api::label_of(slice, kManagedBy) == kManager; }

bool is_mirrored(const json::value& endpoints) {
  return !is_deleting(endpoints) && api::label_of(endpoints, kSkip) != "true" &&
         !api::annotations_of(endpoints).contains(kLeader);
}

bool is_written_by_hand(const json::value& service) {
  return get_object(service, "spec.selector").empty();
}

json::value endpoint_of(const json::value& address, bool ready) {
  json::value e = json::object();
  e.as_object()["addresses"].emplace_array().push_back(json::value(get_string(address, "ip")));
  set_path(e, "conditions.ready", json::value(ready));
  for (const char* key : {"hostname", "nodeName", "targetRef"}) {
    if (const json::value* value = find(address, key)) e.as_object()[key] = *value;
  }
  return e;
}

json::array ports_of(const json::value& subset) {
  json::array ports;
  for (const json::value& port : get_array(subset, "ports")) {
    json::object p;
    if (const json::value* protocol = find(port, "appProtocol")) p["appProtocol"] = *protocol;
    p["name"] = get_string(port, "name");
    p["port"] = get_int(port, "port");
    p["protocol"] = get_string(port, "protocol", "TCP");
    ports.push_back(std::move(p));
  }
  return ports;
}

// One slice a subset and kind of address.
std::vector<json::value> wanted_slices(const json::value& endpoints) {
  std::vector<json::value> wanted;
  for (const json::value& subset : get_array(endpoints, "subsets")) {
    std::map<std::string, json::array> by_type;
    size_t count = 0;
    for (const bool ready : {true, false}) {
      for (const json::value& address :
           get_array(subset, ready ? "addresses" : "notReadyAddresses")) {
        if (++count > EndpointMirroringController::kMirrorMax) break;
        const char* type = api::is_ipv6(get_string(address, "ip")) ? "IPv6" : "IPv4";
        by_type[type].push_back(endpoint_of(address, ready));
      }
    }
    for (auto& [type, list] : by_type) {
      json::value slice = json::object{
          {"apiVersion", "discovery.k8s.io/v1"}, {"kind", "EndpointSlice"}, {"addressType", type}};
      const std::string name(api::name_of(endpoints));
      set_path(slice, "metadata.generateName", json::value(name + "-"));
      set_path(slice, "metadata.namespace", json::value(api::namespace_of(endpoints)));
      json::object labels = api::labels_of(endpoints);
      labels[kManagedBy] = kManager;
      labels[kServiceLabel] = name;
      set_path(slice, "metadata.labels", std::move(labels));
      json::object annotations = api::annotations_of(endpoints);
      erase_key(annotations, kLastChange);
      erase_key(annotations, "kubectl.kubernetes.io/last-applied-configuration");
      if (!annotations.empty()) set_path(slice, "metadata.annotations", std::move(annotations));
      json::array owners;
      owners.push_back(api::controller_reference(endpoints));
      set_path(slice, "metadata.ownerReferences", std::move(owners));
      set_path(slice, "endpoints", std::move(list));
      set_path(slice, "ports", ports_of(subset));
      wanted.push_back(std::move(slice));
    }
  }
  return wanted;
}

bool same_content(const json::value& had, const json::value& want) {
  return get_string(had, "addressType") == get_string(want, "addressType") &&
         get_array(had, "endpoints") == get_array(want, "endpoints") &&
         get_array(had, "ports") == get_array(want, "ports") &&
         api::labels_of(had) == api::labels_of(want) &&
         api::annotations_of(had) == api::annotations_of(want);
}

}  // namespace

void EndpointMirroringController::touched(const World&, const client::Gvr& gvr,
                                          const json::value* before, const json::value* after,
                                          const Enqueue& enqueue) const {
  const json::value& object = after != nullptr ? *after : *before;
  if (!(gvr == gvr::kEndpointSlices)) return enqueue(client::object_key(object));
  if (!is_ours(object)) return;
  enqueue(fmt::format("{}/{}", api::namespace_of(object), api::label_of(object, kServiceLabel)));
}

Plan EndpointMirroringController::reconcile(const World& world, const std::string& key,
                                            Instant) const {
  Plan plan;
  const auto [ns, name] = split_key(key);
  const ObjectPtr endpoints = world.get(gvr::kEndpoints, ns, name);
  const ObjectPtr service = world.get(gvr::kServices, ns, name);
  std::vector<ObjectPtr> had;
  for (ObjectPtr& slice : world.in_namespace(gvr::kEndpointSlices, ns)) {
    if (is_ours(*slice) && api::label_of(*slice, kServiceLabel) == name && !is_deleting(*slice)) {
      had.push_back(std::move(slice));
    }
  }
  std::vector<json::value> wanted;
  if (endpoints != nullptr && service != nullptr && is_mirrored(*endpoints) &&
      is_written_by_hand(*service)) {
    plan.about = endpoints;
    wanted = wanted_slices(*endpoints);
  }
  std::erase_if(wanted, [&](const json::value& want) {
    const auto same = std::find_if(
        had.begin(), had.end(), [&](const ObjectPtr& slice) { return same_content(*slice, want); });
    if (same == had.end()) return false;
    had.erase(same);
    return true;
  });
  for (json::value& want : wanted) {
    const auto reuse = std::find_if(had.begin(), had.end(), [&](const ObjectPtr& slice) {
      return get_string(*slice, "addressType") == get_string(want, "addressType");
    });
    if (reuse == had.end()) {
      plan.create(gvr::kEndpointSlices, std::move(want));
      continue;
    }
    json::value changed = **reuse;
    for (const char* part : {"endpoints", "ports"}) changed.as_object()[part] = *find(want, part);
    set_path(changed, "metadata.labels", json::value(api::labels_of(want)));
    if (api::annotations_of(want).empty())
      erase_key(api::metadata_of(changed), "annotations");
    else
      set_path(changed, "metadata.annotations", json::value(api::annotations_of(want)));
    plan.update(gvr::kEndpointSlices, std::move(changed));
    had.erase(reuse);
  }
  for (const ObjectPtr& slice : had) plan.remove(gvr::kEndpointSlices, *slice);
  return plan;
}

}  // namespace coracle::controllers
