// validation: what is wrong with the objects of resource.k8s.io: claims, their templates, device
// classes and resource slices, their CEL expressions included. As in api/validation: upstream's
// paths, order and words (pkg/apis/resource/validation). Pure.
#pragma once

#include "api/field_error.hpp"
#include "base/json.hpp"

namespace coracle::api::devices {

// Upstream's bounds.
inline constexpr std::size_t kRequestsMax = 32;  // also constraints, configs, selectors
inline constexpr std::size_t kAlternativesMax = 8;
inline constexpr std::size_t kResultsMax = 32;  // devices of one claim
inline constexpr std::size_t kSliceDevicesMax = 128;
inline constexpr std::size_t kSliceDevicesAdvancedMax = 64;  // with taints, counters or lists

// The spec of a claim or template never changes.
void resource_claim(const json::value& object, const json::value* old, FieldErrors& errors);
// An allocation never changes either; it may go.
void resource_claim_status(const json::value& object, const json::value& old, FieldErrors& errors);
void resource_claim_template(const json::value& object, const json::value* old,
                             FieldErrors& errors);
void device_class(const json::value& object, const json::value* old, FieldErrors& errors);
void resource_slice(const json::value& object, const json::value* old, FieldErrors& errors);

}  // namespace coracle::api::devices
