// Grants: keeps users from giving away what they do not have. Who writes a role must hold its rules
// (or may `escalate` it); who writes a binding must hold the role's (or may `bind` it). Kubelets
// are held to their own objects (NodeRestriction). Pure but for the caches it reads.
#pragma once

#include "apiserver/rbac/access.hpp"
#include "apiserver/registry/context.hpp"

namespace coracle::apiserver::rbac {

class Grants final : public WriteGuard {
 public:
  Grants(const Access& access, const StoreFeed& feed) : access_(access), feed_(feed) {}

  Outcome<Done> check_write(const Context& c, const json::value& next,
                            const json::value* old) const override;
  // Before the object is looked at: deletes, evictions and tokens of kubelets.
  Outcome<Done> check_node_request(const UserInfo& user, const RequestInfo& request,
                                   const json::value& body) const;

 private:
  Outcome<Done> check_role(const Context& c, const json::value& next) const;
  Outcome<Done> check_binding(const Context& c, const json::value& next) const;
  Outcome<Done> confirm(const Context& c, const json::value& next, const PolicyRules& wanted) const;
  bool may(const Context& c, const char* verb, const RoleRef& role) const;

  const Access& access_;
  const StoreFeed& feed_;
};

}  // namespace coracle::apiserver::rbac
