// Which pod and container a command line means: POD, or TYPE/NAME of something that selects pods.
#pragma once

#include <string>
#include <vector>

#include "kubectl/session.hpp"

namespace coracle::kubectl {

// The pods an object selects, ready and old ones first. Fails for kinds that select none: `cannot
// attach to *v1.ConfigMap: selector for *v1.ConfigMap not implemented`.
Result<std::vector<json::value>> pods_of(Session& session, const std::string& word);
// One pod of them, running if possible.
Result<json::value> pod_of(Session& session, const std::string& word);

// The container by name, `container x not found in pod p`; or the default one: that of the
// annotation, else the first, and when there are more (and not `quiet`) says so on standard error.
Result<std::string> container_of(Session& session, const json::value& pod, const std::string& name,
                                 bool quiet);
// Of spec.containers, initContainers or ephemeralContainers; null when it is not there.
const json::value* find_container(const json::value& pod, std::string_view name);

}  // namespace coracle::kubectl
