// The names of time zones that the API knows, as upstream's API server brings the database along.
// When a zone's clocks change is the controller's to know, who reads the machine's database.
#pragma once

#include <string_view>

namespace coracle::api::validation {

bool is_time_zone(std::string_view name);

}  // namespace coracle::api::validation
