// The pages of a node's server that are read, not talked to: /healthz, /pods, /runningpods,
// /configz, /metrics, /metrics/resource, /metrics/cadvisor, /metrics/probes, /stats/summary,
// /logs/.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "kubelet_driver/pod_manager.hpp"
#include "net/http.hpp"

namespace coracle::kubelet {

// Of one node's server: how often it was asked, by method and the first part of the path.
using RequestCounts = std::map<std::pair<std::string, std::string>, std::int64_t>;

// Nothing: the path is none of these.
std::optional<net::Response> node_page(PodManager& pods, const std::string& node,
                                       const net::Request& request, const RequestCounts& counts);

}  // namespace coracle::kubelet
