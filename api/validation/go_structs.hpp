// go_structs: what upstream appends to `... may not change`: both specs as it prints its own
// structs, compared line by line. Internal to validation. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/json.hpp"

namespace coracle::api::validation {

// go_struct_rows.cpp
const std::map<std::string_view, std::string_view>& go_struct_rows();

// `object` as the struct of that name: every member, in upstream's order and names.
json::value as_go_struct(const json::value& object, std::string_view type);

// {metadata, spec} of a pod template: the metadata beside "Spec", with its own names.
json::value template_as_go_struct(const json::value& pod_template);

// The lines that differ, with three around them, in hunks (`@@ -1,7 +1,7 @@`); "" when none do.
// Bound: texts of more than 4000 lines are one hunk.
std::string unified_diff(std::string_view before, std::string_view now);

// "\n" and the diff of both as `type`.
std::string changed_spec(const json::value& before, const json::value& now, std::string_view type);

}  // namespace coracle::api::validation
