// Histories as JSON Lines (docs/formats/history.md). Pure. InvalidArgument names the line and what
// is wrong with it; an unknown member is an error.
#pragma once

#include <string>
#include <string_view>

#include "base/json.hpp"
#include "linearize/history.hpp"

namespace coracle::linearize {

Result<History> parse_history(std::string_view text);
Result<Operation> parse_operation(const json::value& line);
json::value to_json_line(const Operation& operation);

}  // namespace coracle::linearize
