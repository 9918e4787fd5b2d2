// Internal to base: numbers of JSON texts, rounded as everybody rounds them; Boost's own are off in
// the last place now and then, and would change each time they are written and read. Pure.
#pragma once

#include <string_view>

namespace coracle {

// Of a whole number by JSON's grammar; infinite when it is too large.
double json_double(std::string_view text);

}  // namespace coracle
