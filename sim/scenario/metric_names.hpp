// The names of what is measured (docs/formats/scenario.md lists them). Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace coracle::sim {

// Sampled over time: "nodes.ready", "queue.pending", ..., and "utilisation.RESOURCE",
// "usage.RESOURCE" for any resource.
bool is_series(std::string_view name);
// Numbers of the whole, distributions over pods and series: what an assertion may name.
bool is_metric(std::string_view name);
// "known: ...", for messages.
std::string known_series();
std::string known_metrics();

const std::vector<std::string>& plain_series();   // without those by resource
const std::vector<std::string>& numbers();        // one each an experiment
const std::vector<std::string>& distributions();  // one value a pod

}  // namespace coracle::sim
