// A policy of the GPU demand experiment as a KubeSchedulerConfiguration, for a live scheduler or a
// scenario: GpuShare, the one plugin that scores, and what is typical of the trace. Pure.
#pragma once

#include <string>

#include "gpu_demand/gpu_demand.hpp"

namespace coracle::sim {

std::string policy_config(const GpuPolicy& policy, const GpuDemandTrace& trace);

}  // namespace coracle::sim
