#include "apiserver/rbac/rules.hpp"

#include <algorithm>

#include "base/strings.hpp"

namespace coracle::apiserver::rbac {

namespace {

using Texts = std::vector<std::string>;

constexpr std::string_view kAll = "*";

bool has(const Texts& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

bool has_or_all(const Texts& list, std::string_view text) {
  return std::any_of(list.begin(), list.end(),
                     [&](const std::string& entry) { return entry == kAll || entry == text; });
}

bool covers_texts(const Texts& held, const Texts& wanted) {
  return has(held, kAll) || std::all_of(wanted.begin(), wanted.end(),
                                        [&](const std::string& text) { return has(held, text); });
}

bool is_any_with(std::string_view entry, std::string_view subresource) {
  return entry.starts_with("*/") && entry.substr(2) == subresource;
}

bool resource_matches(const Texts& list, std::string_view whole, std::string_view subresource) {
  return std::any_of(list.begin(), list.end(), [&](const std::string& entry) {
    return entry == kAll || entry == whole ||
           (!subresource.empty() && is_any_with(entry, subresource));
  });
}

bool url_matches(const Texts& list, std::string_view path) {
  return std::any_of(list.begin(), list.end(), [&](const std::string& entry) {
    if (entry == kAll || entry == path) return true;
    if (!entry.ends_with('*')) return false;
    const std::size_t end = entry.find_last_not_of('*');
    return path.starts_with(std::string_view(entry).substr(0, end + 1));
  });
}

std::string_view subresource_of(std::string_view resource) {
  const std::size_t slash = resource.find('/');
  return slash == std::string_view::npos ? std::string_view() : resource.substr(slash + 1);
}

bool covers(const PolicyRule& held, const PolicyRule& wanted) {
  const auto all = [](const Texts& list, auto matches) {
    return std::all_of(list.begin(), list.end(), matches);
  };
  return covers_texts(held.verbs, wanted.verbs) && covers_texts(held.groups, wanted.groups) &&
         all(wanted.resources,
             [&](const std::string& resource) {
               return resource_matches(held.resources, resource, subresource_of(resource));
             }) &&
         all(wanted.urls, [&](const std::string& url) { return url_matches(held.urls, url); }) &&
         (held.names.empty() ||
          (!wanted.names.empty() &&
           all(wanted.names, [&](const std::string& name) { return has(held.names, name); })));
}

// One rule for each combination.
PolicyRules broken_down(const PolicyRule& rule) {
  PolicyRules out;
  for (const std::string& group : rule.groups) {
    for (const std::string& resource : rule.resources) {
      for (const std::string& verb : rule.verbs) {
        if (rule.names.empty()) out.push_back({{verb}, {group}, {resource}, {}, {}});
        for (const std::string& name : rule.names) {
          out.push_back({{verb}, {group}, {resource}, {name}, {}});
        }
      }
    }
  }
  for (const std::string& url : rule.urls) {
    for (const std::string& verb : rule.verbs) out.push_back({{verb}, {}, {}, {}, {url}});
  }
  return out;
}

Texts texts_of(const json::value& rule, std::string_view member) {
  Texts out;
  for (const json::value& text : get_array(rule, member)) {
    if (text.is_string()) out.emplace_back(text.get_string());
  }
  return out;
}

}  // namespace

PolicyRule PolicyRule::from_json(const json::value& rule) {
  return {texts_of(rule, "verbs"), texts_of(rule, "apiGroups"), texts_of(rule, "resources"),
          texts_of(rule, "resourceNames"), texts_of(rule, "nonResourceURLs")};
}

json::object PolicyRule::to_json() const {
  json::object out;
  const auto put = [&](std::string_view member, const Texts& texts) {
    if (texts.empty()) return;
    json::array& list = out[member].emplace_array();
    for (const std::string& text : texts) list.emplace_back(text);
  };
  put("verbs", verbs);
  put("apiGroups", groups);
  put("resources", resources);
  put("resourceNames", names);
  put("nonResourceURLs", urls);
  return out;
}

std::string quoted_list(const Texts& texts) {
  std::string out = "[";
  for (const std::string& text : texts) {
    if (out.size() > 1) out += ' ';
    out += quoted(text);
  }
  return out + "]";
}

std::string PolicyRule::text() const {
  std::string out;
  const auto put = [&](std::string_view name, const Texts& texts) {
    if (texts.empty()) return;
    out += out.empty() ? "{" : ", ";
    out += std::string(name) + ":" + quoted_list(texts);
  };
  put("APIGroups", groups);
  put("Resources", resources);
  put("NonResourceURLs", urls);
  put("ResourceNames", names);
  put("Verbs", verbs);
  return out.empty() ? "{}" : out + "}";
}

PolicyRules rules_of(const json::value& role) {
  PolicyRules out;
  for (const json::value& rule : get_array(role, "rules")) {
    out.push_back(PolicyRule::from_json(rule));
  }
  return out;
}

json::array rules_to_json(const PolicyRules& rules) {
  json::array out;
  for (const PolicyRule& rule : rules) out.push_back(rule.to_json());
  return out;
}

bool allows(const PolicyRule& rule, const RequestInfo& request) {
  if (!has_or_all(rule.verbs, request.verb)) return false;
  if (!request.is_resource) return url_matches(rule.urls, request.path);
  if (!has_or_all(rule.groups, request.group)) return false;
  std::string whole = request.resource;
  if (!request.subresource.empty()) whole += "/" + request.subresource;
  return resource_matches(rule.resources, whole, request.subresource) &&
         (rule.names.empty() || has(rule.names, request.name));
}

bool allows(const PolicyRules& rules, const RequestInfo& request) {
  return std::any_of(rules.begin(), rules.end(),
                     [&](const PolicyRule& rule) { return allows(rule, request); });
}

PolicyRules missing_rules(const PolicyRules& held, const PolicyRules& wanted) {
  PolicyRules missing;
  for (const PolicyRule& rule : wanted) {
    for (PolicyRule& part : broken_down(rule)) {
      const bool covered = std::any_of(held.begin(), held.end(),
                                       [&](const PolicyRule& have) { return covers(have, part); });
      if (!covered) missing.push_back(std::move(part));
    }
  }
  return missing;
}

PolicyRules compacted(const PolicyRules& rules) {
  PolicyRules out;
  for (const PolicyRule& rule : rules) {
    const bool simple = rule.urls.empty() && rule.names.size() <= 1 && rule.groups.size() == 1 &&
                        rule.resources.size() == 1;
    const auto same = [&](const PolicyRule& other) {
      return simple && other.urls.empty() && other.groups == rule.groups &&
             other.resources == rule.resources && other.names == rule.names;
    };
    const auto found = std::find_if(out.begin(), out.end(), same);
    if (found == out.end()) {
      out.push_back(rule);
      continue;
    }
    for (const std::string& verb : rule.verbs) {
      if (!has(found->verbs, verb)) found->verbs.push_back(verb);
    }
  }
  return out;
}

}  // namespace coracle::apiserver::rbac
