#include "apiserver/admission/request_match.hpp"

#include <algorithm>

#include "api/object.hpp"
#include "api/selectors.hpp"

namespace coracle::apiserver {

namespace {

bool holds(const json::value& rule, std::string_view list, std::string_view word) {
  return lists_text(rule, list, "*") || lists_text(rule, list, word);
}

// "pods", "pods/status", "pods/*", "*/status"; "*" is everything but subresources.
bool resource_fits(const json::value& rule, const std::string& plural, const std::string& sub) {
  return std::ranges::any_of(get_array(rule, "resources"), [&](const json::value& v) {
    if (!v.is_string()) return false;
    const std::string_view text = v.get_string();
    const std::size_t slash = text.find('/');
    const std::string_view name = text.substr(0, slash);
    const std::string_view part =
        slash == std::string_view::npos ? std::string_view() : text.substr(slash + 1);
    return (name == "*" || name == plural) && (part == sub || (part == "*" && text != "*"));
  });
}

bool rule_fits(const Admitted& a, const json::value& rule, bool equivalent) {
  const bool named =
      get_array(rule, "resourceNames").empty() || lists_text(rule, "resourceNames", a.c.info.name);
  const std::string_view scope = get_string(rule, "scope", "*");
  const bool inside = a.c.resource->namespaced;
  if (scope == "Namespaced" && !inside) return false;
  if (scope == "Cluster" && inside) return false;
  return named && holds(rule, "operations", a.operation) &&
         holds(rule, "apiGroups", a.c.resource->group) &&
         (equivalent || holds(rule, "apiVersions", a.c.resource->version)) &&
         resource_fits(rule, a.c.resource->plural, a.c.info.subresource);
}

json::object named(const api::ResourceInfo& info, std::string_view key, std::string_view name) {
  return {{"group", info.group}, {"version", info.version}, {key, name}};
}

}  // namespace

bool rules_match(const Admitted& a, const json::array& rules, bool equivalent) {
  return std::ranges::any_of(
      rules, [&](const json::value& rule) { return rule_fits(a, rule, equivalent); });
}

Result<bool> selectors_match(const Admitted& a, const json::value& holder,
                             const json::value* object, const json::value* old) {
  if (const json::value* given = find(holder, "namespaceSelector")) {
    ASSIGN_OR_RETURN(const auto selector, api::LabelSelector::from_object(given));
    if (!selector.is_everything()) {
      if (a.is("", "Namespace")) {
        const json::value* self = object != nullptr ? object : old;
        if (self != nullptr && !selector.matches(api::labels_of(*self))) return false;
      } else if (a.c.resource->namespaced) {
        const auto ns = a.find("namespaces", a.c.info.ns);
        if (!ns || !selector.matches(api::labels_of(*ns))) return false;
      }
    }
  }
  if (const json::value* given = find(holder, "objectSelector")) {
    ASSIGN_OR_RETURN(const auto selector, api::LabelSelector::from_object(given));
    const bool fits = (object != nullptr && selector.matches(api::labels_of(*object))) ||
                      (old != nullptr && selector.matches(api::labels_of(*old)));
    if (!selector.is_everything() && !fits) return false;
  }
  return true;
}

Result<bool> resources_match(const Admitted& a, const json::value& match, bool otherwise,
                             const json::value* object, const json::value* old) {
  const bool equivalent = get_string(match, "matchPolicy", "Equivalent") == "Equivalent";
  const json::array& rules = get_array(match, "resourceRules");
  if (rules.empty() ? !otherwise : !rules_match(a, rules, equivalent)) return false;
  if (rules_match(a, get_array(match, "excludeResourceRules"), equivalent)) return false;
  return selectors_match(a, match, object, old);
}

json::value request_object(const Admitted& a) {
  const Context& c = a.c;
  json::object user{{"username", c.user.name}, {"uid", c.user.uid}};
  json::array groups;
  for (const std::string& group : c.user.groups) groups.emplace_back(group);
  user["groups"] = std::move(groups);
  json::object extra;
  for (const auto& [key, values] : c.user.extra) {
    json::array list;
    for (const std::string& value : values) list.emplace_back(value);
    extra[key] = std::move(list);
  }
  user["extra"] = std::move(extra);
  json::object out;
  out["kind"] = named(*c.resource, "kind", c.resource->kind);
  out["resource"] = named(*c.resource, "resource", c.resource->plural);
  out["subResource"] = c.info.subresource;
  out["requestKind"] = named(*c.resource, "kind", c.resource->kind);
  out["requestResource"] = named(*c.resource, "resource", c.resource->plural);
  out["requestSubResource"] = c.info.subresource;
  out["name"] = c.info.name;
  out["namespace"] = c.info.ns;
  out["operation"] = a.operation;
  out["userInfo"] = std::move(user);
  out["dryRun"] = c.dry_run;
  out["options"].emplace_object();
  return out;
}

}  // namespace coracle::apiserver
