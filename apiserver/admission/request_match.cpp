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

bool rule_fits(const Admitted& a, const json::value& rule, const api::ResourceInfo& as) {
  const bool named =
      get_array(rule, "resourceNames").empty() || lists_text(rule, "resourceNames", a.c.info.name);
  const std::string_view scope = get_string(rule, "scope", "*");
  const bool inside = as.namespaced;
  if (scope == "Namespaced" && !inside) return false;
  if (scope == "Cluster" && inside) return false;
  return named && holds(rule, "operations", a.operation) && holds(rule, "apiGroups", as.group) &&
         holds(rule, "apiVersions", as.version) &&
         resource_fits(rule, as.plural, a.c.info.subresource);
}

bool any_fits(const Admitted& a, const json::array& rules, const api::ResourceInfo& as) {
  return std::ranges::any_of(rules,
                             [&](const json::value& rule) { return rule_fits(a, rule, as); });
}

json::object named(std::string_view group, std::string_view version, std::string_view key,
                   std::string_view name) {
  return {{"group", group}, {"version", version}, {key, name}};
}

// The kind of what is sent: that of the subresource's body when it has one of its own.
json::object kind_named(const api::ResourceInfo& info, std::string_view sub) {
  const api::Subresource* part = sub.empty() ? nullptr : info.subresource(sub);
  if (part != nullptr && !part->kind.empty()) {
    const bool own = part->version.empty();
    return named(own ? info.group : part->group, own ? info.version : part->version, "kind",
                 part->kind);
  }
  return named(info.group, info.version, "kind", info.kind);
}

json::array texts(const std::vector<std::string>& list) {
  json::array out;
  for (const std::string& text : list) out.emplace_back(text);
  return out;
}

std::string_view options_kind(std::string_view verb) {
  if (verb == "patch") return "PatchOptions";
  return verb == "update" ? "UpdateOptions" : "CreateOptions";
}

json::value request_options(const Admitted& a) {
  if (!a.options.is_null()) return a.options;
  if (a.operation == "CONNECT") return nullptr;
  json::object out;
  out["kind"] = options_kind(a.c.info.verb);
  out["apiVersion"] = "meta.k8s.io/v1";
  for (const char* key : {"fieldManager", "fieldValidation"}) {
    const std::string_view value = a.c.request.query.get(key);
    if (!value.empty()) out[key] = value;
  }
  if (a.c.dry_run) out["dryRun"].emplace_array().emplace_back("All");
  if (a.c.info.verb == "patch" && query_flag(a.c.request.query, "force")) out["force"] = true;
  return out;
}

}  // namespace

const api::ResourceInfo* matched_resource(const Admitted& a, const json::array& rules,
                                          bool equivalent) {
  if (any_fits(a, rules, *a.c.resource)) return a.c.resource;
  if (!equivalent) return nullptr;
  for (const api::ResourceInfo* other : a.m.catalog.all_resources()) {
    const bool same = other != a.c.resource && other->served &&
                      other->storage_prefix == a.c.storage->storage_prefix;
    if (same && any_fits(a, rules, *other)) return other;
  }
  return nullptr;
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
  if (rules.empty() ? !otherwise : !matched_resource(a, rules, equivalent)) return false;
  const json::array& excluded = get_array(match, "excludeResourceRules");
  if (!excluded.empty() && matched_resource(a, excluded, equivalent)) return false;
  return selectors_match(a, match, object, old);
}

json::value request_object(const Admitted& a, const api::ResourceInfo& as) {
  const Context& c = a.c;
  json::object user{{"username", c.user.name}, {"uid", c.user.uid}};
  user["groups"] = texts(c.user.groups);
  json::object extra;
  for (const auto& [key, values] : c.user.extra) extra[key] = texts(values);
  user["extra"] = std::move(extra);
  const api::ResourceInfo& asked = *c.resource;
  json::object out;
  out["kind"] = kind_named(as, c.info.subresource);
  out["resource"] = named(as.group, as.version, "resource", as.plural);
  out["subResource"] = c.info.subresource;
  out["requestKind"] = kind_named(asked, c.info.subresource);
  out["requestResource"] = named(asked.group, asked.version, "resource", asked.plural);
  out["requestSubResource"] = c.info.subresource;
  out["name"] = c.info.name;
  out["namespace"] = c.info.ns;
  out["operation"] = a.operation;
  out["userInfo"] = std::move(user);
  out["dryRun"] = c.dry_run;
  out["options"] = request_options(a);
  return out;
}

}  // namespace coracle::apiserver
