// The pods behind a Service, as both endpoint controllers see them. Pure.
#pragma once

#include <string>
#include <vector>

#include "controllers/controller.hpp"
#include "controllers/pods.hpp"

namespace coracle::controllers {

struct BackendPort {
  std::string name, protocol, app_protocol;
  std::int64_t port = 0;
  friend auto operator<=>(const BackendPort&, const BackendPort&) = default;
};

struct Backend {
  ObjectPtr pod;
  bool ready = false, serving = false, terminating = false;
  std::vector<BackendPort> ports;  // a named port may differ from pod to pod
};

bool is_managed(const json::value& service);  // has a selector and is no ExternalName
// With an address, not ended, in key order. Named target ports a pod does not have are left out.
std::vector<Backend> backends_of(const World& world, const json::value& service);
// The Services whose selection a pod's change may alter.
void enqueue_services(const World& world, const json::value* before, const json::value* after,
                      const Enqueue& enqueue);
// The name a pod has below its Service, when its subdomain is that Service; else empty.
std::string_view hostname_in(const json::value& service, const json::value& pod);
json::object target_reference(const json::value& pod);

}  // namespace coracle::controllers
