// The objects of a new cluster that nothing in it depends on, but that clients look for: flow
// control, APIServices, the address of the service kubernetes and its range. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "api/catalog.hpp"
#include "base/json.hpp"

namespace coracle::apiserver {

// FlowSchemas and PriorityLevelConfigurations as upstream makes them.
std::vector<json::value> flow_control_objects();
// Of either kind: what must be there, and as it is. The others are suggestions.
inline bool is_mandatory_flow(std::string_view name) {
  return name == "exempt" || name == "catch-all";
}
// One for each version of each built-in group, served here.
std::vector<json::value> api_service_objects(const api::Catalog& catalog);
// ServiceCIDR kubernetes; IPAddress of the service kubernetes.
std::vector<json::value> service_network_objects(std::string_view cidr, std::string_view first);
// ConfigMap kube-apiserver-legacy-service-account-token-tracking; `day`: 2026-01-31.
json::value token_tracking_map(std::string_view day);

}  // namespace coracle::apiserver
