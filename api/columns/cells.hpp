// cells: how the columns word what many kinds share. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"

namespace coracle::api::cells {

inline constexpr std::string_view kNone = "<none>";
inline constexpr std::string_view kUnset = "<unset>";
inline constexpr std::string_view kUnknown = "<unknown>";

json::value text(std::string_view value);
// The text, or `fallback` when it is empty.
json::value text_or(std::string_view value, std::string_view fallback);
// The string at the path, or `fallback` when it is missing or empty.
json::value string_at(const json::value& object, std::string_view path, std::string_view fallback);
// Strings and numbers as text, else empty.
std::string scalar_text(const json::value* value);
// "5m" since an RFC 3339 time; kUnknown when there is none.
std::string age(std::string_view since, WallTime now);
// "a=b,c=d" in byte order of keys, kNone when empty.
std::string labels_text(const json::object& labels);
// "a,b,c + 2 more..."; `fallback` when there is nothing.
std::string first_three(const std::vector<std::string>& items, std::string_view fallback);
// The member `name` of each element of the array at `path`, joined by commas.
std::string join_members(const json::value& object, std::string_view path, std::string_view name);
// Whether the condition of this type in status.conditions is "True".
bool condition_is_true(const json::value& object, std::string_view type);

}  // namespace coracle::api::cells
