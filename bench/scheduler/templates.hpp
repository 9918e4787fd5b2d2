// Nodes and pods of the workloads, after the templates of upstream's scheduler_perf: what they ask
// for, not how they are written there.
#pragma once

#include <string>

#include "framework/node_info.hpp"
#include "framework/pod_info.hpp"

namespace coracle::bench {

// "default", "pod-affinity", "pod-anti-affinity", "preferred-pod-affinity",
// "preferred-pod-anti-affinity", "node-affinity", "topology-spreading", "low-priority",
// "high-priority", "large-cpu", "high-priority-large-cpu", "daemonset". Another is a CHECK.
scheduler::PodPtr a_pod(const std::string& pod_template, const std::string& ns,
                        const std::string& name);
// The pod that daemonset pods are for is on this node.
inline constexpr const char* kDaemonNode = "scheduler-perf-node";
std::shared_ptr<const scheduler::NodeFacts> a_node(const std::string& name, const std::string& zone,
                                                   const std::string& pods_max = "110");

}  // namespace coracle::bench
