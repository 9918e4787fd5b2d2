// Pieces of pods that commands make from flags. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/json.hpp"

namespace coracle::kubectl {

json::array string_array(const std::vector<std::string>& words);
// "a=b,c=d" lists -> an object. `unexpected label spec: x`
Result<json::object> parse_labels(const std::vector<std::string>& pairs);
// --env a=b -> [{name, value}]. `invalid env: x`
Result<json::array> parse_env(const std::vector<std::string>& pairs);

}  // namespace coracle::kubectl
