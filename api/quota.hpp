// quota: what an object takes of a ResourceQuota, and which quotas are about it (upstream:
// pkg/quota/v1/evaluator/core). Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "api/catalog.hpp"
#include "api/quantity.hpp"
#include "base/json.hpp"

namespace coracle::api::quota {

// By the names of spec.hard: "pods", "requests.cpu", "count/deployments.apps", ...
using Usage = std::map<std::string, Quantity, std::less<>>;

// Behind a class's name: the devices that ResourceClaims may take of it.
inline constexpr std::string_view kDevicesOfClass = ".deviceclass.resource.k8s.io/devices";

// Nothing for what is no quantity.
Quantity quantity(const json::value& value);
// "requests.NAME" and "limits.NAME" of one container.
Usage container_usage(const json::value& container);
Usage usage_of(const ResourceInfo& info, const json::value& object);
// The same for a resource that the catalog need not hold; `group` is empty for core.
Usage usage_of(std::string_view group, std::string_view plural, const json::value& object);
// Whether the scopes of the quota hold for the object. Quotas with scopes are of pods only.
bool matches(const json::value& quota, bool is_pod, const json::value& object);

}  // namespace coracle::api::quota
