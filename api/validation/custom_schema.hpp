// Whether the schema of a CustomResourceDefinition is a structural one. Internal to validation.
#pragma once

#include "api/field_error.hpp"
#include "base/json.hpp"

namespace coracle::api::validation {

// `path`: of openAPIV3Schema.
void custom_schema(const json::value& schema, bool has_status, const FieldPath& path,
                   FieldErrors& errors);
// How errors show parts of a definition: as upstream's own structs (custom_shown.cpp).
json::value shown_rule(const json::value& rule);
json::value shown_schema(const json::value& schema);
json::value shown_version(const json::value& version);
// The schema at a simple path (.spec.replicas); nullptr when the schema names nothing there.
const json::value* schema_at(const json::value& schema, std::string_view json_path);

}  // namespace coracle::api::validation
