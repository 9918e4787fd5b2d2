// Fields that are a number or a percentage ("25%") of another number. Pure.
#pragma once

#include <cstdint>

#include "base/json.hpp"

namespace coracle::controllers {

// Of `total`; percentages are rounded up or down. `fallback`: nothing is there, or neither of both.
std::int64_t resolve_int_or_percent(const json::value* value, std::int64_t total, bool round_up,
                                    std::int64_t fallback);

}  // namespace coracle::controllers
