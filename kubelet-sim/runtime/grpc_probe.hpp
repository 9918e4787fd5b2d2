// A gRPC probe: connects, and asks grpc.health.v1.Health/Check. The answer comes once, in
// upstream's words (pkg/probe/grpc).
#pragma once

#include <string>

#include "kubelet_runtime/prober.hpp"

namespace coracle::kubelet {

void probe_grpc(net::AsioExecutor& executor, const std::string& host, std::uint16_t port,
                const std::string& service, Duration timeout, ProbeDone done);

}  // namespace coracle::kubelet
