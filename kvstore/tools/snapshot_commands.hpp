// storectl snapshot save|status|restore. Returns the exit code; what is wrong goes to standard
// error.
#pragma once

#include <string>
#include <vector>

namespace coracle::store {

int run_snapshot(const std::vector<std::string>& arguments);

}  // namespace coracle::store
