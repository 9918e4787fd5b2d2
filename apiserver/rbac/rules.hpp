// Rules of roles: what one of them allows, and whether some rules give all that others give. Pure;
// the meaning of `*`, `*/sub`, resourceNames and trailing `*` in paths is upstream's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apiserver/chain/request_info.hpp"
#include "base/json.hpp"

namespace coracle::apiserver::rbac {

struct PolicyRule {
  std::vector<std::string> verbs, groups, resources, names, urls;

  bool operator==(const PolicyRule&) const = default;
  static PolicyRule from_json(const json::value& rule);
  json::object to_json() const;
  // `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}`
  std::string text() const;
};
using PolicyRules = std::vector<PolicyRule>;

// The array under `rules` of a Role or ClusterRole.
PolicyRules rules_of(const json::value& role);
json::array rules_to_json(const PolicyRules& rules);

bool allows(const PolicyRule& rule, const RequestInfo& request);
bool allows(const PolicyRules& rules, const RequestInfo& request);

// What of `wanted` the owner of `held` cannot do: one rule a verb and resource (or path), in order.
PolicyRules missing_rules(const PolicyRules& held, const PolicyRules& wanted);
// Rules about one same resource become one, with the verbs of all.
PolicyRules compacted(const PolicyRules& rules);

// `["a" "b"]`, as upstream prints lists in messages.
std::string quoted_list(const std::vector<std::string>& texts);

}  // namespace coracle::apiserver::rbac
