// Fragmentation: how much of a node's free GPU milli the typical pods could not use, in the mean
// (Weng et al., "Beware of Fragmentation: Scheduling GPU-Sharing Workloads with Fragmentation
// Gradient Descent", USENIX ATC'23, section 3). For one typical pod all that is free counts when
// the pod cannot run there at all, by devices, model or CPU, or wants no GPU; else what is free on
// devices that have less than it asks of one. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "framework/node_info.hpp"
#include "plugins/plugin_args.hpp"

namespace coracle::scheduler {

// Milli of GPU; O(typical * devices).
double fragmentation(std::int64_t cpu_free_milli, const std::vector<int>& gpu_free,
                     std::string_view model, const std::vector<TypicalPod>& typical);
double fragmentation(const NodeInfo& node, const std::vector<TypicalPod>& typical);

// The pod on this node, on the device where the fragmentation grows least; the score is 0..100, 50
// where it stays as it is. device: -1 for a pod of none or of whole devices.
struct FragmentationStep {
  std::int64_t score = 0;
  int device = -1;
};
FragmentationStep best_step(const PodInfo& pod, const NodeInfo& node,
                            const std::vector<TypicalPod>& typical);

// The commonest kinds of these pods, as many as it takes to be `popularity` of all (0..1]; their
// shares add up to 1. Of equally common ones the larger first.
std::vector<TypicalPod> typical_of(const std::vector<TypicalPod>& pods, double popularity);
TypicalPod kind_of_pod(const PodInfo& pod);

}  // namespace coracle::scheduler
