#include "apiserver/rbac/access.hpp"

namespace coracle::apiserver::rbac {

Decision Access::decide(const UserInfo& user, const RequestInfo& request) const {
  if (user.in_group(kMasters)) return {true, ""};
  const Decision node = nodes_.decide(user, request);
  if (node.allowed) return node;
  Decision decision;
  std::vector<std::string> errors;
  index_.visit(user, request.is_resource ? request.ns : "", [&](const Grant& grant) {
    if (grant.rules == nullptr) {
      errors.push_back(role_not_found(*grant.role));
    } else if (allows(*grant.rules, request)) {
      decision = {true, "RBAC: allowed by " + grant.text()};
    }
    return !decision.allowed;
  });
  if (decision.allowed) return decision;
  decision.reason = node.reason;
  if (!errors.empty()) {
    if (!decision.reason.empty()) decision.reason += "\n";
    decision.reason += "RBAC: " + joined_errors(errors);
  }
  return decision;
}

}  // namespace coracle::apiserver::rbac
