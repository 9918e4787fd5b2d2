// What a pod says of its claims to devices.
#include <set>
#include <string>

#include "api/object.hpp"
#include "api/validation/checks.hpp"
#include "api/validation/pod_parts.hpp"

namespace coracle::api::validation {
namespace {

using checks::member;
using checks::text_of;

using Names = std::set<std::string, std::less<>>;

void claim_name(const json::value& claim, const Names& seen, const FieldPath& path,
                FieldErrors& errors) {
  const std::string_view name = text_of(claim, "name");
  if (name.empty()) {
    errors.required(path);
  } else if (seen.contains(name)) {
    errors.duplicate(path, name);
  } else {
    checks::dns_label(name, path, errors);
  }
}

}  // namespace

void pod_device_claims(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  Names seen;
  std::size_t index = 0;
  for (const json::value& claim : get_array(spec, "resourceClaims")) {
    const FieldPath at = path.child("resourceClaims").index(index++);
    const bool own = member(claim, "resourceClaimName") != nullptr;
    const bool made = member(claim, "resourceClaimTemplateName") != nullptr;
    claim_name(claim, seen, at.child("name"), errors);
    seen.emplace(text_of(claim, "name"));
    if (own && made) {
      errors.invalid(at, claim,
                     "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be "
                     "specified");
    }
    if (!own && !made) {
      errors.invalid(at, claim,
                     "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`");
    }
    for (const std::string_view key : {"resourceClaimName", "resourceClaimTemplateName"}) {
      if (member(claim, key) == nullptr) continue;
      checks::dns_subdomain(text_of(claim, key), at.child(key), errors);
    }
  }
}

void device_claim_statuses(const json::value& pod, FieldErrors& errors) {
  Names known, seen;
  for (const json::value& claim : get_array(pod, "spec.resourceClaims")) {
    known.emplace(text_of(claim, "name"));
  }
  std::size_t index = 0;
  for (const json::value& status : get_array(pod, "status.resourceClaimStatuses")) {
    const FieldPath at = FieldPath("status").child("resourceClaimStatuses").index(index++);
    const std::string_view name = text_of(status, "name");
    if (!seen.emplace(name).second) errors.duplicate(at.child("name"), name);
    if (member(status, "resourceClaimName") != nullptr) {
      checks::dns_subdomain(text_of(status, "resourceClaimName"), at.child("name"), errors);
    }
    if (!known.contains(name)) {
      errors.invalid(at.child("name"), name,
                     "must match the name of an entry in `spec.resourceClaims`");
    }
  }
}

}  // namespace coracle::api::validation
