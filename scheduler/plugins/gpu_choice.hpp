// Which devices of a node a pod gets, and the chance that is an argument: a number drawn from the
// seed and the pod's name, so that a decision can be made again. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "framework/node_info.hpp"
#include "plugins/plugin_args.hpp"

namespace coracle::scheduler {

// A pod of whole devices gets the first that are free. Empty: it does not fit.
std::vector<std::uint8_t> choose_devices(const GpuArgs& args, const PodInfo& pod,
                                         const NodeInfo& node);

// In [0, bound); another number for each `purpose`. bound > 0.
std::uint64_t drawn_for(const PodInfo& pod, std::uint64_t seed, std::uint64_t purpose,
                        std::uint64_t bound);

}  // namespace coracle::scheduler
