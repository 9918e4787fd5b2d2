// Text helpers the standard library lacks. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace coracle {

// "a,b,," by ',' -> "a" "b" "" ""; an empty text gives no parts.
std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string_view trim(std::string_view text);
std::string to_lower(std::string_view text);
bool iequals(std::string_view a, std::string_view b);
std::string replace_all(std::string text, std::string_view from, std::string_view to);
// The escape of `c` that JSON and Go's %q share: \" \\ \n \r \t; empty for the others.
std::string_view short_escape(char c);
// As Go's %q: quotes and escapes.
std::string quoted(std::string_view text);
// Whole text must be a decimal integer.
bool parse_int(std::string_view text, long long* value);

}  // namespace coracle
