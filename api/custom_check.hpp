// What a structural schema has against an object. Internal to api. Pure.
#pragma once

#include "api/custom_schema.hpp"

namespace coracle::api {

// In the order of members' names. Metadata is not looked at, but that of embedded objects must have
// apiVersion and kind.
void check_custom(const json::value& object, const CustomSchema::Node& root, FieldErrors& errors);

// Whether a text has the form a `format` asks for; unknown formats: true.
bool has_format(std::string_view text, std::string_view format);

}  // namespace coracle::api
