// What a kubelet tells of its node's usage: the pages /metrics/resource and /metrics/cadvisor
// (Prometheus text) and /stats/summary (stats/v1alpha1), with upstream's names. Pure.
#pragma once

#include <string>

#include "base/json.hpp"
#include "kubelet/node_usage.hpp"

namespace coracle::kubelet {

std::string resource_metrics_page(const NodeUse& node);
// Of cAdvisor's families those whose figures are known; the node is the group "/".
std::string cadvisor_metrics_page(const NodeUse& node);
// `only_cpu_and_memory`: the short form.
json::value stats_summary(const NodeUse& node, bool only_cpu_and_memory);

}  // namespace coracle::kubelet
