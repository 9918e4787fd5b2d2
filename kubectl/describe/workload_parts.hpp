// What descriptions of workloads share.
#pragma once

#include <string>
#include <vector>

#include "describe/describe.hpp"

namespace coracle::kubectl {

std::string number(const json::value& object, std::string_view path, std::int64_t fallback = 0);
// The number there, or `missing`.
std::string number_or(const json::value& object, std::string_view path, std::string_view missing);
std::string selector_text(const json::value& object);
// Of that resource, what the object selects and controls.
std::vector<json::value> owned(const DescribeContext& context, std::string_view resource);
// "2 Running / 0 Waiting / 0 Succeeded / 0 Failed"
std::string pods_status(const DescribeContext& context);

}  // namespace coracle::kubectl
