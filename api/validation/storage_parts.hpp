// What volumes and claims share. Internal to validation. Pure.
#pragma once

#include "api/field_error.hpp"
#include "base/json.hpp"

namespace coracle::api::validation {

// Each mode known; ReadWriteOncePod alone. Whether there is one is the caller's question.
void access_modes(const json::value& spec, const FieldPath& path, FieldErrors& errors);

}  // namespace coracle::api::validation
