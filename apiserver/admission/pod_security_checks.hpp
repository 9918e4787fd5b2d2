// The Pod Security Standards: what a pod may not ask for at a level. Pure. The rules are those of
// the newest version, whichever one a namespace names.
#pragma once

#include <string>
#include <vector>

#include "base/json.hpp"

namespace coracle::apiserver {

enum class SecurityLevel { kPrivileged, kBaseline, kRestricted };

struct Violation {
  std::string reason, detail;
};
// {metadata, spec} of a pod or a template. In upstream's order: baseline's rules by name, then
// those of restricted.
std::vector<Violation> pod_violations(SecurityLevel level, const json::value& pod);
// `host namespaces (hostNetwork=true), privileged (container "x" must not set ...)`
std::string violations_text(const std::vector<Violation>& violations);

}  // namespace coracle::apiserver
