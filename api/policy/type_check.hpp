// type_check: the expressions of a policy against the types of the objects it looks at. What does
// not fit is a warning in its status: policies are asked all the same. Pure.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "api/schema.hpp"
#include "base/json.hpp"

namespace coracle::api::policy {

struct KindName {
  std::string group, version, kind;
  friend auto operator<=>(const KindName&, const KindName&) = default;
};

// What is known of the cluster's kinds. Schemas outlive the check.
struct KnownKinds {
  // The kind with which the resource is served, "" when it is not.
  std::function<std::string(const std::string& group, const std::string& version,
                            const std::string& plural)>
      kind_of;
  // nullptr when there is none.
  std::function<const Schema*(const KindName& name)> schema_of;
};

// The kinds that spec.matchConstraints names without wildcards, in order; at most ten.
std::vector<KindName> kinds_to_check(const json::value& policy, const KnownKinds& known);
// status.typeChecking.expressionWarnings: {fieldRef, warning}.
json::array expression_warnings(const json::value& policy, const KnownKinds& known);

}  // namespace coracle::api::policy
