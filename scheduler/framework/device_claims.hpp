// What a pod says of its claims to devices. Value types. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/json.hpp"

namespace coracle::scheduler {

// A claim of a pod: what spec.resourceClaims says, and for those that are made from a template also
// the status.
struct DeviceClaimUse {
  std::string entry;  // its name in the pod
  std::string claim;  // empty: not made yet
  bool made = false;  // from a template, for this pod alone
  friend bool operator==(const DeviceClaimUse&, const DeviceClaimUse&) = default;
};

std::vector<DeviceClaimUse> parse_device_claims(const json::value& pod);

}  // namespace coracle::scheduler
