// The roles and bindings every cluster has: what upstream ships, and the two of ours that our
// daemons need beyond it. A constant; the tables are in default_roles.cpp and controller_roles.cpp,
// in the notation that default_policy.cpp reads.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apiserver/rbac/rules.hpp"

namespace coracle::apiserver::rbac {

struct DefaultRole {
  std::string ns;  // empty: a ClusterRole
  std::string name;
  std::string aggregates_to;    // "view": its label is aggregate-to-view
  std::string aggregated_from;  // "view": its rules are those of the roles with that label
  PolicyRules rules;            // of an aggregated one: all that come together
};

struct DefaultSubject {
  std::string kind, name, ns;
};

struct DefaultBinding {
  std::string ns;  // empty: a ClusterRoleBinding
  std::string name, role_kind, role_name;
  std::vector<DefaultSubject> subjects;
};

struct DefaultPolicy {
  std::vector<DefaultRole> roles;
  std::vector<DefaultBinding> bindings;

  static const DefaultPolicy& get();
  // CHECKs the notation: the tables are ours.
  static DefaultPolicy parse(std::string_view general, std::string_view controllers);
  const DefaultRole* role(std::string_view ns, std::string_view name) const;
};

// The objects, as they are stored at first.
json::value role_object(const DefaultRole& role);
json::value binding_object(const DefaultBinding& binding);

std::string_view general_roles_table();
std::string_view controller_roles_table();

inline constexpr std::string_view kRbacGroup = "rbac.authorization.k8s.io";
inline constexpr std::string_view kAutoUpdate = "rbac.authorization.kubernetes.io/autoupdate";

}  // namespace coracle::apiserver::rbac
