#include "kubelet/pod_devices.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/device_claims.hpp"
#include "api/object.hpp"
#include "base/strings.hpp"

namespace coracle::kubelet {
namespace {

// "my-gpu" -> "DEVICES_MY_GPU".
std::string variable(std::string_view entry) {
  std::string name = "DEVICES_";
  for (const char c : entry) {
    const bool letter = c >= 'a' && c <= 'z';
    const bool digit = c >= '0' && c <= '9';
    name += letter ? static_cast<char>(c - 'a' + 'A') : digit ? c : '_';
  }
  return name;
}

}  // namespace

std::vector<PodDeviceClaim> pod_device_claims(const json::value& pod) {
  std::vector<PodDeviceClaim> claims;
  for (const json::value& entry : get_array(pod, "spec.resourceClaims")) {
    PodDeviceClaim& use = claims.emplace_back();
    use.entry = get_string(entry, "name");
    use.claim = api::device_claim_of(pod, entry);
  }
  return claims;
}

Status may_use_claim(const json::value& pod, const PodDeviceClaim& use, const json::value& claim) {
  const std::string name(api::name_of(pod)), uid(api::uid_of(pod));
  if (use.claim.empty()) {
    return failed_precondition(fmt::format(
        "claim {} of pod {}: the ResourceClaim has not been created yet", use.entry, name));
  }
  if (claim.is_null()) {
    return failed_precondition(fmt::format(
        "failed to fetch ResourceClaim {0} referenced by pod {1}: resourceclaims.resource.k8s.io "
        "\"{0}\" not found",
        use.claim, name));
  }
  if (!api::is_reserved_for_pod(claim, uid)) {
    return failed_precondition(fmt::format("pod {}({}) is not allowed to use resource claim {}({})",
                                           name, uid, use.claim, api::uid_of(claim)));
  }
  if (find(claim, "status.allocation") == nullptr) {
    return failed_precondition(
        fmt::format("resource claim {} of pod {} is not allocated", use.claim, name));
  }
  return Status();
}

Environment device_environment(const json::value& container, const DeviceClaims& claims) {
  std::map<std::string, std::vector<std::string>> devices;  // by variable
  for (const json::value& use : get_array(container, "resources.claims")) {
    const auto found = claims.find(get_string(use, "name"));
    if (found == claims.end()) continue;
    const std::string_view request = get_string(use, "request");
    std::vector<std::string>& names = devices[variable(found->first)];
    for (const json::value& result :
         get_array(found->second, "status.allocation.devices.results")) {
      const std::string_view of = get_string(result, "request");
      // An alternative is named "request/alternative".
      if (!request.empty() && of.substr(0, of.find('/')) != request) continue;
      std::string device(get_string(result, "device"));
      if (std::ranges::find(names, device) == names.end()) names.push_back(std::move(device));
    }
  }
  Environment out;
  for (const auto& [name, list] : devices) out.emplace_back(name, join(list, ","));
  return out;
}

}  // namespace coracle::kubelet
