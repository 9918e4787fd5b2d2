// Parts of parse_pod: ports, pod affinity, topology spread, volumes, features. Pure.
#pragma once

#include <optional>

#include "framework/pod_info.hpp"

namespace coracle::scheduler {

std::vector<HostPort> parse_host_ports(const json::value& pod);
std::vector<SpreadConstraint> parse_spread(const json::value& pod);
void parse_pod_affinity(const json::value& pod, PodInfo& info);
// The disk a volume of a pod, or the spec of a PersistentVolume, names.
std::optional<DiskUse> parse_disk(const json::value& source);
// The node names that required node affinity comes down to; nothing: a term is open to any name.
std::optional<std::set<std::string>> parse_only_nodes(const json::value& pod);
void parse_volumes(const json::value& pod, PodInfo& info);
// The features of a kubelet that what the pod asks for needs, by upstream's names, sorted.
std::vector<std::string> parse_features(const json::value& pod);

}  // namespace coracle::scheduler
