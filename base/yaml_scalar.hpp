// What a plain YAML scalar means (YAML 1.1 as go-yaml v2 reads it: yes/no/on/off are booleans, 0644
// is octal, 2026-11-21 is a timestamp). Shared by the reader, and by the writer to know when to
// quote.
#pragma once

#include <string_view>

#include "base/json.hpp"

namespace coracle::yaml {

enum class ScalarType { kString, kNull, kBool, kInt, kFloat, kTimestamp, kMerge, kNotFinite };

// The type, and through `value` (if given) what it stands for; strings and timestamps as text.
ScalarType resolve_plain(std::string_view text, json::value* value);

}  // namespace coracle::yaml
