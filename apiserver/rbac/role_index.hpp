// RoleIndex: who holds which rules, from the watch caches of roles and bindings, ready to be asked
// on every request: no store, no parsing but of what has changed since the last question.
//
// Strand only; the feed outlives it. As fresh as the feed is. A binding to a role that is not there
// grants nothing and is told as an error.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "apiserver/cache/feed.hpp"
#include "apiserver/chain/user.hpp"
#include "apiserver/rbac/rules.hpp"

namespace coracle::apiserver::rbac {

struct RoleRef {
  std::string kind, name;  // Role or ClusterRole
};

// A binding that applies to the user asked about.
struct Grant {
  const PolicyRules* rules = nullptr;  // null: there is no such role
  const RoleRef* role = nullptr;
  std::function<std::string()> text;  // `ClusterRoleBinding "x" of ClusterRole "y" to Group "z"`
};

class RoleIndex {
 public:
  explicit RoleIndex(const StoreFeed& feed) : feed_(feed) {}

  // The user's bindings: those of the whole cluster, then those of `ns`, each by name, until
  // `visit` says false.
  void visit(const UserInfo& user, const std::string& ns,
             const std::function<bool(const Grant&)>& visit) const;
  // All rules the user holds in `ns`; roles that are not there go to `errors`.
  PolicyRules rules_for(const UserInfo& user, const std::string& ns,
                        std::vector<std::string>* errors) const;
  // nullptr when there is none.
  const PolicyRules* rules_of_role(const RoleRef& role, const std::string& ns) const;

 private:
  struct Subject {
    std::string kind, name, ns;
  };
  struct Binding {
    ObjectPtr object;  // as parsed
    RoleRef role;
    std::vector<Subject> subjects;
  };
  struct Role {
    ObjectPtr object;
    PolicyRules rules;
  };
  using BindingPtr = std::shared_ptr<const Binding>;
  struct Scope {
    std::vector<BindingPtr> bindings;                                  // by name
    std::map<std::string, std::vector<std::size_t>> by_user_or_group;  // "u:NAME", "g:NAME"
  };
  struct Kind {
    std::int64_t seen = -1;  // the cache's last change when it was read
    std::map<std::string, Role> roles;
    std::map<std::string, BindingPtr> bindings;
    std::map<std::string, Scope> scopes;  // by namespace
  };

  // As rules_of_role(), of what was refreshed.
  const PolicyRules* known_rules(const RoleRef& role, const std::string& ns) const;
  void refresh() const;
  void refresh_roles(const char* prefix, Kind& kind) const;
  void refresh_bindings(const char* prefix, Kind& kind) const;
  static BindingPtr parse_binding(const ObjectPtr& object);
  bool visit_scope(const Kind& kind, const UserInfo& user, const std::string& ns,
                   const std::function<bool(const Grant&)>& visit) const;

  const StoreFeed& feed_;
  mutable Kind cluster_roles_, roles_, cluster_bindings_, bindings_;
};

// `clusterrole.rbac.authorization.k8s.io "x" not found`
std::string role_not_found(const RoleRef& role);
// Upstream's form of several errors: one as it is, more in brackets, none twice.
std::string joined_errors(const std::vector<std::string>& errors);

}  // namespace coracle::apiserver::rbac
