// What a person wants to know of a decision, small enough to keep for each: the best nodes and
// where their scores come from, or which plugin refused how many nodes and why. Pure.
#pragma once

#include "base/json.hpp"
#include "cycle/cycle.hpp"

namespace coracle::sim {

// {"fitting": 3, "best": [{"node","total","scores": {PLUGIN: weighted}}]} with at most `nodes`
// nodes, the chosen one first; {"noes": [{"plugin","reasons","nodes"}]}.
json::object brief(const scheduler::Decision& decision, size_t nodes);
// The same as text, a line each: for terminals and comparisons.
std::string brief_text(const json::object& why);

}  // namespace coracle::sim
