// The command lines of a cluster's daemons: which programs, with which flags. Pure.
#pragma once

#include <string>
#include <vector>

#include "lab/process.hpp"

namespace coracle::lab {

// In the order they are started: store members, apiservers, scheduler, controller-manager,
// kubelets.
std::vector<DaemonCommand> daemon_commands(const Layout& layout, const ClusterShape& shape,
                                           const std::string& program_dir);
// "http://127.0.0.1:1234,http://127.0.0.1:1235": the store's client endpoints.
std::string store_endpoints(const ClusterShape& shape);

}  // namespace coracle::lab
