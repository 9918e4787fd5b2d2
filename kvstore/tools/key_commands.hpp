// storectl log, keys, history and meta. Return the exit code; what is wrong goes to standard error.
#pragma once

#include <string>
#include <vector>

namespace coracle::store {

int run_log(const std::vector<std::string>& arguments);
int run_keys(const std::vector<std::string>& arguments);
int run_history(const std::vector<std::string>& arguments);
int run_meta(const std::vector<std::string>& arguments);

}  // namespace coracle::store
