// why, with changes: what the scheduler would decide about a pod, or about the pods of a manifest
// that is not applied. Asks by a SchedulingReview; nothing is changed in the cluster.
#pragma once

#include <string>
#include <vector>

#include "kubectl/command.hpp"

namespace coracle::kubectl {

std::vector<text::FlagSpec> what_if_flags();
// Any of them is given.
bool is_what_if(const Invocation& call);
Status run_what_if(Invocation& call);

// "web" of "pod/web", too.
std::string pod_name(const std::string& word);

}  // namespace coracle::kubectl
