// A write to pods/ephemeralcontainers or pods/resize: it changes one part of a pod that a write to
// the pod itself must not change, and nothing else. Pure.
#pragma once

#include <string>

#include "api/field_error.hpp"
#include "base/json.hpp"

namespace coracle::apiserver {

bool is_pod_part(const std::string& subresource);
// `next` as the current object but for that part, and the version the client wants to write over.
json::value only_pod_part(const std::string& subresource, const json::value& next,
                          const json::value& current);
// The current object with the part as it will be: what the rules of a pod's update compare with.
json::value with_pod_part(const std::string& subresource, const json::value& current,
                          const json::value& next);
// Ephemeral containers stay once they are there, and stay as they are.
void check_pod_part(const std::string& subresource, const json::value& next,
                    const json::value& current, api::FieldErrors& errors);

}  // namespace coracle::apiserver
