// Access: who may do what: system:masters everything; nodes what the Node authoriser lets them;
// everybody what roles give. Nobody else anything. Answers from the watch caches, at once.
//
// Strand only. The feed outlives it.
#pragma once

#include "apiserver/rbac/node_authorizer.hpp"
#include "apiserver/rbac/role_index.hpp"

namespace coracle::apiserver::rbac {

class Access final : public Authorizer {
 public:
  explicit Access(const StoreFeed& feed) : index_(feed), nodes_(feed) {}

  // `reason` tells also who or what allowed it, in upstream's words.
  Decision decide(const UserInfo& user, const RequestInfo& request) const override;
  const RoleIndex& roles() const { return index_; }

 private:
  RoleIndex index_;
  NodeAuthorizer nodes_;
};

}  // namespace coracle::apiserver::rbac
