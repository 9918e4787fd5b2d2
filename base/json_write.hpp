// Writing JSON at the end of a text that is there: for documents put together from parts.
#pragma once

#include <string>
#include <string_view>

#include "base/json.hpp"

namespace coracle {

void append_json(const json::value& value, std::string* out);
void append_json_string(std::string_view text, std::string* out);  // quoted and escaped

}  // namespace coracle
