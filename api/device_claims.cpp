#include "api/device_claims.hpp"

#include <algorithm>

namespace coracle::api {

std::string_view device_claim_of(const json::value& pod, const json::value& entry) {
  if (const auto own = get_string(entry, "resourceClaimName"); !own.empty()) return own;
  for (const json::value& status : get_array(pod, "status.resourceClaimStatuses")) {
    if (get_string(status, "name") == get_string(entry, "name")) {
      return get_string(status, "resourceClaimName");
    }
  }
  return "";
}

bool is_reserved_for_pod(const json::value& claim, std::string_view uid) {
  return std::ranges::any_of(
      get_array(claim, "status.reservedFor"),
      [&](const json::value& consumer) { return get_string(consumer, "uid") == uid; });
}

json::object pod_reservation(std::string_view name, std::string_view uid) {
  return {{"resource", "pods"}, {"name", name}, {"uid", uid}};
}

}  // namespace coracle::api
