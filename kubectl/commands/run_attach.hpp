// run -i, --attach and --rm: joins the pod that was just made, tells how it ended, removes it.
#pragma once

#include <string>

#include "kubectl/command.hpp"

namespace coracle::kubectl {

// -i, -t, --attach, --rm and what they forbid each other, before anything is made.
Status check_attached_run(const Invocation& call);
bool is_attached_run(const Invocation& call);
// The pod is there. Its exit code becomes ours where it runs once.
Status attach_to_run(Invocation& call, const std::string& ns, const std::string& name);

// Joins a container (its log, when it has ended already).
Status attach_when_running(Invocation& call, const std::string& ns, const std::string& pod,
                           const std::string& container);

}  // namespace coracle::kubectl
