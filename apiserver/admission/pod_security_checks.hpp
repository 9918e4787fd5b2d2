// The Pod Security Standards: what a pod may not ask for at a level. Pure. The rules are those of
// the newest version, whichever one a namespace names.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace coracle::apiserver {

enum class SecurityLevel { kPrivileged, kBaseline, kRestricted };
std::optional<SecurityLevel> security_level(std::string_view text);
// `latest` or `v1.N`.
bool is_security_version(std::string_view text);

struct SecurityPolicy {
  SecurityLevel level = SecurityLevel::kPrivileged;
  std::string version = "latest";
  std::string text() const;  // "baseline:latest"
};
struct SecurityPolicies {
  SecurityPolicy enforce, audit, warn;
};

struct Violation {
  std::string reason, detail;
};
// {metadata, spec} of a pod or a template. In upstream's order: baseline's rules by name, then
// those of restricted.
std::vector<Violation> pod_violations(SecurityLevel level, const json::value& pod);
// `host namespaces (hostNetwork=true), privileged (container "x" must not set ...)`
std::string violations_text(const std::vector<Violation>& violations);

}  // namespace coracle::apiserver
