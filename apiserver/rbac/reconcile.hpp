// reconcile_policy: makes the default roles and bindings, and puts back what has been taken from
// them, unless their annotation rbac.authorization.kubernetes.io/autoupdate says "false". What
// somebody added stays.
#pragma once

#include "apiserver/rbac/default_policy.hpp"
#include "apiserver/registry/registry.hpp"

namespace coracle::apiserver::rbac {

// The object as it should be, or null when it is good. Pure.
json::value reconciled(const json::value& wanted, const json::value& current);

// The caches must hold what is in the store. Unavailable: try again.
Task<Status> reconcile_policy(Machinery& m, Registry& registry, const DefaultPolicy& policy);

}  // namespace coracle::apiserver::rbac
