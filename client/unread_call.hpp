// A call whose answer's object nobody reads: its errors are call_json's, its object is not parsed.
#pragma once

#include <optional>

#include "client/resource.hpp"

namespace coracle::client {

// Nothing: it went well.
Task<std::optional<ApiError>> call_unread(Api* api, ApiRequest request);

}  // namespace coracle::client
