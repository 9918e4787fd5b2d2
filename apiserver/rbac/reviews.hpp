// Reviews: the kinds that are questions: may somebody do this (SubjectAccessReview and its Self and
// Local forms), what may I do (SelfSubjectRulesReview), who am I (SelfSubjectReview), whose token
// is this (TokenReview). Answered at once, never stored.
#pragma once

#include "apiserver/chain/authenticator.hpp"
#include "apiserver/rbac/access.hpp"
#include "apiserver/registry/context.hpp"

namespace coracle::apiserver {
class TokenIssuer;
}

namespace coracle::apiserver::rbac {

class Reviews final : public ReviewPort {
 public:
  // `tokens` may be null.
  Reviews(const Machinery& machinery, const Access& access, const Authenticator& authenticator,
          const TokenIssuer* tokens)
      : m_(machinery), access_(access), authenticator_(authenticator), tokens_(tokens) {}

  Reply review(Context& c) override;

 private:
  using Answer = Outcome<json::object>;  // the status
  Answer access(const Context& c, const json::value& object) const;
  Answer rules(const Context& c, const json::value& object) const;
  Answer token(const json::value& object) const;

  const Machinery& m_;
  const Access& access_;
  const Authenticator& authenticator_;
  const TokenIssuer* const tokens_;
};

}  // namespace coracle::apiserver::rbac
