#include "apiserver/rbac/grants.hpp"

#include <algorithm>

#include "api/object.hpp"
#include "api/strategy.hpp"
#include "apiserver/rbac/certificate_guard.hpp"
#include "apiserver/rbac/default_policy.hpp"
#include "apiserver/rbac/node_restriction.hpp"
#include "base/strings.hpp"

namespace coracle::apiserver::rbac {

namespace {

const PolicyRules& full_authority() {
  static const PolicyRules rules = {{{"*"}, {"*"}, {"*"}, {}, {}}, {{"*"}, {}, {}, {}, {"*"}}};
  return rules;
}

// Owner references and finalizers: what the garbage collector must be able to change.
bool only_collector_fields(const json::value& next, const json::value& old) {
  json::value a = next, b = old;
  for (json::value* object : {&a, &b}) {
    json::object& metadata = api::metadata_of(*object);
    for (const char* member : {"ownerReferences", "finalizers", "managedFields"}) {
      erase_key(metadata, member);
    }
  }
  return api::same_object(a, b);
}

}  // namespace

// A role's own request, or one about the role a binding names.
bool Grants::may(const Context& c, const char* verb, const RoleRef& role) const {
  RequestInfo asked;
  asked.is_resource = true;
  asked.verb = verb;
  asked.group = kRbacGroup;
  asked.version = "*";
  asked.resource = role.kind == "ClusterRole" ? "clusterroles" : "roles";
  asked.ns = c.info.ns;
  asked.name = role.name;
  return access_.decide(c.user, asked).allowed;
}

Outcome<Done> Grants::confirm(const Context& c, const json::value& next,
                              const PolicyRules& wanted) const {
  std::vector<std::string> errors;
  const PolicyRules held = access_.roles().rules_for(c.user, c.info.ns, &errors);
  const PolicyRules missing = missing_rules(held, wanted);
  if (missing.empty()) return Done{};
  std::vector<std::string> lines;
  for (const PolicyRule& rule : compacted(missing)) lines.push_back(rule.text());
  std::sort(lines.begin(), lines.end());
  lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
  std::string why = "user " + quoted(c.user.name) + " (groups=" + quoted_list(c.user.groups) +
                    ") is attempting to grant RBAC permissions not currently held:\n" +
                    join(lines, "\n");
  if (!errors.empty()) why += "; resolution errors: [" + join(errors, " ") + "]";
  return api::forbidden_error(c.group_name(), api::name_of(next), why);
}

Outcome<Done> Grants::check_role(const Context& c, const json::value& next) const {
  // As upstream asks: a create by POST has no name yet.
  const std::string name = c.info.verb == "create" ? "" : c.info.name;
  if (may(c, "escalate", {c.resource->kind, name})) return Done{};
  if (find(next, "aggregationRule") != nullptr && !find(next, "aggregationRule")->is_null()) {
    const Outcome<Done> full = confirm(c, next, full_authority());
    if (!full.ok()) {
      return api::forbidden_error(c.group_name(), api::name_of(next),
                                  "must have cluster-admin privileges to use the aggregationRule");
    }
  }
  return confirm(c, next, rules_of(next));
}

Outcome<Done> Grants::check_binding(const Context& c, const json::value& next) const {
  const RoleRef role{std::string(get_string(next, "roleRef.kind")),
                     std::string(get_string(next, "roleRef.name"))};
  if (may(c, "bind", role)) return Done{};
  const PolicyRules* rules = access_.roles().rules_of_role(role, c.info.ns);
  if (rules == nullptr) {
    const bool cluster = role.kind == "ClusterRole";
    return api::not_found_error({kRbacGroup, cluster ? "clusterroles" : "roles"}, role.name);
  }
  return confirm(c, next, *rules);
}

Outcome<Done> Grants::check_write(const Context& c, const json::value& next,
                                  const json::value* old) const {
  const std::string refusal = certificate_write_refusal(access_, c, next, old);
  if (!refusal.empty()) return api::forbidden_error(c.group_name(), api::name_of(next), refusal);
  if (c.user.in_group(kMasters)) return Done{};
  if (const std::optional<std::string> node = node_identity(c.user)) {
    const std::string why = node_write_refusal(*node, c, next, old);
    if (!why.empty()) return api::forbidden_error(c.group_name(), api::name_of(next), why);
  }
  if (c.resource->group != kRbacGroup || !c.info.subresource.empty()) return Done{};
  if (old != nullptr && only_collector_fields(next, *old)) return Done{};
  const std::string& kind = c.resource->kind;
  if (kind == "Role" || kind == "ClusterRole") return check_role(c, next);
  if (kind == "RoleBinding" || kind == "ClusterRoleBinding") return check_binding(c, next);
  return Done{};
}

Outcome<Done> Grants::check_node_request(const UserInfo& user, const RequestInfo& request,
                                         const json::value& body) const {
  const std::optional<std::string> node = node_identity(user);
  if (!node || !request.group.empty()) return Done{};
  const ResourceCache* pods = feed_.cache("pods");
  const auto node_of = [&](const std::string& name) -> std::string {
    const ObjectPtr pod = pods == nullptr ? nullptr : pods->find(request.ns + "/" + name);
    if (!pod) return {};
    return std::string(pod->field(static_cast<std::size_t>(pods->shape().node_field())));
  };
  const auto refuse = [&](const std::string& why) {
    return api::forbidden_error({"", request.resource}, request.name, why);
  };
  const std::string who = "node " + quoted(*node);
  if (request.resource == "pods" && request.verb == "delete" && request.subresource.empty()) {
    const std::string where = node_of(request.name);
    if (!where.empty() && where != *node) {
      return refuse(who + " can only delete pods with spec.nodeName set to itself");
    }
  }
  if (request.resource == "pods" && request.subresource == "eviction" &&
      node_of(request.name) != *node) {
    return refuse(who + " can only evict pods with spec.nodeName set to itself");
  }
  if (request.resource == "serviceaccounts" && request.subresource == "token") {
    const std::string pod(get_string(body, "spec.boundObjectRef.name"));
    if (get_string(body, "spec.boundObjectRef.kind") != "Pod" || pod.empty()) {
      return refuse("node requested token not bound to a pod");
    }
    if (node_of(pod) != *node) {
      return refuse("node requested token bound to a pod scheduled on a different node");
    }
  }
  return Done{};
}

}  // namespace coracle::apiserver::rbac
