// job_parts: the policies of a Job's spec. Pure.
#pragma once

#include "api/field_error.hpp"
#include "base/json.hpp"

namespace coracle::api::validation {

// job_policies.cpp
void failure_policy(const json::value& spec, const FieldPath& path, FieldErrors& errors);
void success_policy(const json::value& spec, const FieldPath& path, FieldErrors& errors);

}  // namespace coracle::api::validation
