// storectl status: asks running members over the etcd API who they are and who leads. Each has
// kPatience to answer; all are asked at the same time.
#pragma once

#include <string>
#include <vector>

namespace coracle::store {

// `arguments` behind "status": --endpoints A,B,C [--output table|json] and TLS flags. Returns the
// exit code: 0 when all answered.
int run_status(const std::vector<std::string>& arguments);

}  // namespace coracle::store
