#include "endpoints/backends.hpp"

#include "api/object.hpp"
#include "api/selectors.hpp"

namespace coracle::controllers {
namespace {

// The port of the pod that a service port means; 0 when it has none of that name.
std::int64_t resolve_port(const json::value& port, const json::value& pod) {
  const json::value* target = find(port, "targetPort");
  if (target == nullptr) return get_int(port, "port");
  if (target->is_int64())
    return target->get_int64() == 0 ? get_int(port, "port") : target->get_int64();
  if (!target->is_string()) return 0;
  const std::string_view protocol = get_string(port, "protocol", "TCP");
  for (const char* list : {"spec.containers", "spec.initContainers"}) {
    for (const json::value& container : get_array(pod, list)) {
      for (const json::value& p : get_array(container, "ports")) {
        if (get_string(p, "name") == std::string_view(target->get_string()) &&
            get_string(p, "protocol", "TCP") == protocol) {
          return get_int(p, "containerPort");
        }
      }
    }
  }
  return 0;
}

bool selects(const json::value& service, const json::value& pod) {
  return api::LabelSelector::from_map(get_object(service, "spec.selector"))
      .matches(api::labels_of(pod));
}

}  // namespace

bool is_managed(const json::value& service) {
  return !get_object(service, "spec.selector").empty() &&
         get_string(service, "spec.type") != "ExternalName";
}

std::vector<Backend> backends_of(const World& world, const json::value& service) {
  std::vector<Backend> backends;
  const auto selector = api::LabelSelector::from_map(get_object(service, "spec.selector"));
  const bool publish = get_bool(service, "spec.publishNotReadyAddresses");
  for (const ObjectPtr& pod :
       world.in_namespace(gvr::kPods, std::string(api::namespace_of(service)))) {
    const std::string_view phase = get_string(*pod, "status.phase");
    if (phase == "Succeeded" || phase == "Failed" || get_string(*pod, "status.podIP").empty() ||
        !selector.matches(api::labels_of(*pod))) {
      continue;
    }
    Backend backend;
    backend.pod = pod;
    backend.terminating = is_deleting(*pod);
    backend.serving = is_ready(*pod);
    backend.ready = publish || (backend.serving && !backend.terminating);
    for (const json::value& port : get_array(service, "spec.ports")) {
      const std::int64_t number = resolve_port(port, *pod);
      if (number == 0) continue;
      backend.ports.push_back({std::string(get_string(port, "name")),
                               std::string(get_string(port, "protocol", "TCP")),
                               std::string(get_string(port, "appProtocol")), number});
    }
    backends.push_back(std::move(backend));
  }
  return backends;
}

void enqueue_services(const World& world, const json::value* before, const json::value* after,
                      const Enqueue& enqueue) {
  const json::value& any = after != nullptr ? *after : *before;
  for (const ObjectPtr& service :
       world.in_namespace(gvr::kServices, std::string(api::namespace_of(any)))) {
    if (!is_managed(*service)) continue;
    const bool was = before != nullptr && selects(*service, *before);
    const bool is = after != nullptr && selects(*service, *after);
    if (was || is) enqueue(client::object_key(*service));
  }
}

std::string_view hostname_in(const json::value& service, const json::value& pod) {
  if (get_string(pod, "spec.subdomain") != api::name_of(service)) return {};
  return get_string(pod, "spec.hostname");
}

json::object target_reference(const json::value& pod) {
  json::object reference;
  reference["kind"] = "Pod";
  reference["name"] = api::name_of(pod);
  reference["namespace"] = api::namespace_of(pod);
  reference["uid"] = api::uid_of(pod);
  return reference;
}

}  // namespace coracle::controllers
