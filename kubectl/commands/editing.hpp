// An object in the user's editor.
#pragma once

#include <optional>

#include "base/json.hpp"

namespace coracle::kubectl {

// What became of it; nullopt when nothing was changed, or all was taken out.
Result<std::optional<json::value>> edit_object(const json::value& original);

}  // namespace coracle::kubectl
