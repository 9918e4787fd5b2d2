// What is said to an extender, and what it answers: k8s.io/kube-scheduler/extender/v1. Members go
// out under Go's names ("Pod", "NodeNames"), and are read whatever their case, as Go reads them.
// Pure.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/extender_config.hpp"
#include "framework/post_filter.hpp"

namespace coracle::scheduler {

// ExtenderArgs: with the names if the extender knows the nodes, else with the nodes.
json::value extender_args(const ExtenderConfig& extender, const json::value& pod,
                          const std::vector<std::string>& names, const json::array& nodes);

// ExtenderFilterResult: the nodes that are left, in the extender's order, and why the others not.
struct FilterAnswer {
  std::vector<std::string> kept;
  std::map<std::string, std::string> failed, unresolvable;
};
Result<FilterAnswer> read_filter_answer(const ExtenderConfig& extender, std::string_view body,
                                        const std::vector<std::string>& asked);
// HostPriorityList.
Result<std::map<std::string, std::int64_t>> read_priorities(std::string_view body);

// ExtenderPreemptionArgs; `object_of` gives the Pod of a victim.
using ObjectOf = std::function<json::value(const PodInfo&)>;
json::value preemption_args(const ExtenderConfig& extender, const json::value& pod,
                            const Candidates& candidates, const ObjectOf& object_of);
// ExtenderPreemptionResult, in the order of the nodes' names.
Result<Candidates> read_preemption_answer(const ExtenderConfig& extender, std::string_view body,
                                          const Snapshot& world);

json::value binding_args(const PodInfo& pod, const std::string& node);
// ExtenderBindingResult.
Status read_binding_answer(std::string_view body);

// The URL of a verb.
std::string extender_url(const ExtenderConfig& extender, const std::string& verb);

}  // namespace coracle::scheduler
