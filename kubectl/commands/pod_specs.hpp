// What the `set` commands that change pod templates share.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kubectl/write.hpp"

namespace coracle::kubectl {

// Where a kind keeps its pod spec; "" when it has none.
std::string pod_spec_path(const json::value& object);

using PodSpecEdit = std::function<Status(json::object& pod_spec)>;
// Applies `edit` to the pod spec of each object and sends what it changed as a strategic patch.
Status edit_pod_specs(Invocation& call, const std::vector<std::string>& args,
                      const std::string& done, const PodSpecEdit& edit);

// Splits words into objects and name=value pairs (name- too).
void split_pairs(const std::vector<std::string>& words, std::vector<std::string>* objects,
                 std::vector<std::string>* pairs);
bool is_named(const json::value& container, const std::string& pattern);
// A name ("*": any) that no container has is a mistake.
Status check_container(const json::object& pod_spec, const std::string& chosen);
// Those of all `set` commands.
std::vector<text::FlagSpec> set_flags();

}  // namespace coracle::kubectl
