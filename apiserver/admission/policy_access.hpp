// PolicyAccess: the authorizer that expressions of admission may ask. Lives for one request; asks
// nobody but the authoriser in memory.
#pragma once

#include "api/cel/authorizer.hpp"
#include "apiserver/admission/plugin.hpp"

namespace coracle::apiserver {

class PolicyAccess final : public api::cel::AccessPort {
 public:
  explicit PolicyAccess(const Admitted& a) : a_(a) {}
  api::cel::AccessAnswer ask(const api::cel::AccessQuestion& question) const override;
  // The variable `authorizer`. `as`: the resource as the policy sees it.
  api::cel::Value variable(const api::ResourceInfo& as) const;

 private:
  const Admitted& a_;
};

}  // namespace coracle::apiserver
