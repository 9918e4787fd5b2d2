#include "apiserver/rbac/role_index.hpp"

#include <algorithm>

#include "base/strings.hpp"

namespace coracle::apiserver::rbac {

namespace {

json::value tree_of_tail(const ObjectPtr& object) {
  auto tree = parse_json("{" + *object->tail());
  CHECK(tree.ok());  // the cache has parsed it before
  return *std::move(tree);
}

std::string account_user(const std::string& ns, const std::string& name) {
  return "system:serviceaccount:" + ns + ":" + name;
}

}  // namespace

std::string role_not_found(const RoleRef& role) {
  return to_lower(role.kind) + ".rbac.authorization.k8s.io " + quoted(role.name) + " not found";
}

std::string joined_errors(const std::vector<std::string>& errors) {
  std::vector<std::string> once;
  for (const std::string& error : errors) {
    if (std::find(once.begin(), once.end(), error) == once.end()) once.push_back(error);
  }
  return once.size() == 1 ? once.front() : "[" + join(once, ", ") + "]";
}

void RoleIndex::refresh_roles(const char* prefix, Kind& kind) const {
  const ResourceCache* cache = feed_.cache(prefix);
  if (cache == nullptr || cache->last_change() == kind.seen) return;
  kind.seen = cache->last_change();
  std::map<std::string, Role> next;
  cache->scan("", "", [&](const ObjectPtr& object) {
    const auto known = kind.roles.find(object->key());
    if (known != kind.roles.end() && known->second.object == object) {
      next.insert(kind.roles.extract(known));
    } else {
      next[object->key()] = Role{object, rules_of(tree_of_tail(object))};
    }
    return true;
  });
  kind.roles = std::move(next);
}

RoleIndex::BindingPtr RoleIndex::parse_binding(const ObjectPtr& object) {
  const json::value tree = tree_of_tail(object);
  auto binding = std::make_shared<Binding>();
  binding->object = object;
  binding->role = {std::string(get_string(tree, "roleRef.kind")),
                   std::string(get_string(tree, "roleRef.name"))};
  for (const json::value& subject : get_array(tree, "subjects")) {
    binding->subjects.push_back({std::string(get_string(subject, "kind")),
                                 std::string(get_string(subject, "name")),
                                 std::string(get_string(subject, "namespace"))});
  }
  return binding;
}

void RoleIndex::refresh_bindings(const char* prefix, Kind& kind) const {
  const ResourceCache* cache = feed_.cache(prefix);
  if (cache == nullptr || cache->last_change() == kind.seen) return;
  kind.seen = cache->last_change();
  std::map<std::string, BindingPtr> next;
  kind.scopes.clear();
  cache->scan("", "", [&](const ObjectPtr& object) {
    const auto known = kind.bindings.find(object->key());
    const bool same = known != kind.bindings.end() && known->second->object == object;
    BindingPtr binding = same ? known->second : parse_binding(object);
    Scope& scope = kind.scopes[std::string(object->ns())];
    for (const Subject& subject : binding->subjects) {
      std::string key = "u:" + subject.name;
      if (subject.kind == "Group") key = "g:" + subject.name;
      if (subject.kind == "ServiceAccount") {
        const std::string ns = subject.ns.empty() ? std::string(object->ns()) : subject.ns;
        key = "u:" + account_user(ns, subject.name);
      }
      scope.by_user_or_group[key].push_back(scope.bindings.size());
    }
    scope.bindings.push_back(binding);
    next[object->key()] = std::move(binding);
    return true;
  });
  kind.bindings = std::move(next);
}

void RoleIndex::refresh() const {
  refresh_roles("clusterroles", cluster_roles_);
  refresh_roles("roles", roles_);
  refresh_bindings("clusterrolebindings", cluster_bindings_);
  refresh_bindings("rolebindings", bindings_);
}

const PolicyRules* RoleIndex::rules_of_role(const RoleRef& role, const std::string& ns) const {
  refresh();
  return known_rules(role, ns);
}

const PolicyRules* RoleIndex::known_rules(const RoleRef& role, const std::string& ns) const {
  const bool cluster = role.kind == "ClusterRole";
  const auto& roles = cluster ? cluster_roles_.roles : roles_.roles;
  const auto found = roles.find(cluster ? role.name : ns + "/" + role.name);
  return found == roles.end() ? nullptr : &found->second.rules;
}

bool RoleIndex::visit_scope(const Kind& kind, const UserInfo& user, const std::string& ns,
                            const std::function<bool(const Grant&)>& visit) const {
  const auto found = kind.scopes.find(ns);
  if (found == kind.scopes.end()) return true;
  const Scope& scope = found->second;
  std::vector<std::size_t> which;
  const auto add = [&](const std::string& key) {
    const auto list = scope.by_user_or_group.find(key);
    if (list == scope.by_user_or_group.end()) return;
    which.insert(which.end(), list->second.begin(), list->second.end());
  };
  add("u:" + user.name);
  for (const std::string& group : user.groups) add("g:" + group);
  std::sort(which.begin(), which.end());
  which.erase(std::unique(which.begin(), which.end()), which.end());
  for (const std::size_t index : which) {
    const Binding& binding = *scope.bindings[index];
    const auto text = [&]() -> std::string {
      std::string name(binding.object->name());
      if (!ns.empty()) name += "/" + ns;
      std::string out = ns.empty() ? "ClusterRoleBinding " : "RoleBinding ";
      out += quoted(name) + " of " + binding.role.kind + " " + quoted(binding.role.name) + " to ";
      for (const Subject& subject : binding.subjects) {
        const std::string& own = subject.ns.empty() ? ns : subject.ns;
        if (subject.kind == "Group" && user.in_group(subject.name)) {
          return out + "Group " + quoted(subject.name);
        }
        if (subject.kind == "User" && user.name == subject.name) {
          return out + "User " + quoted(subject.name);
        }
        if (subject.kind == "ServiceAccount" && user.name == account_user(own, subject.name)) {
          return out + "ServiceAccount " + quoted(subject.name + "/" + own);
        }
      }
      return out + "nobody";
    };
    Grant grant{known_rules(binding.role, ns), &binding.role, text};
    if (!visit(grant)) return false;
  }
  return true;
}

void RoleIndex::visit(const UserInfo& user, const std::string& ns,
                      const std::function<bool(const Grant&)>& visit) const {
  refresh();
  if (!visit_scope(cluster_bindings_, user, "", visit)) return;
  if (!ns.empty()) visit_scope(bindings_, user, ns, visit);
}

PolicyRules RoleIndex::rules_for(const UserInfo& user, const std::string& ns,
                                 std::vector<std::string>* errors) const {
  PolicyRules out;
  visit(user, ns, [&](const Grant& grant) {
    if (grant.rules == nullptr) {
      errors->push_back(role_not_found(*grant.role));
    } else {
      out.insert(out.end(), grant.rules->begin(), grant.rules->end());
    }
    return true;
  });
  return out;
}

}  // namespace coracle::apiserver::rbac
