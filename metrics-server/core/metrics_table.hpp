// NodeMetrics and PodMetrics as a meta/v1 Table with upstream's columns: the name, a column a
// resource, the window. Pure.
#pragma once

#include <string_view>

#include "base/json.hpp"

namespace coracle::metrics {

bool wants_table(std::string_view accept);
// `include_object`: None, Object, or Metadata (also when empty).
json::value table_of(const json::array& metrics, std::string_view include_object);

}  // namespace coracle::metrics
