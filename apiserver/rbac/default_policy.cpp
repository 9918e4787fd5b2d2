#include "apiserver/rbac/default_policy.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "base/strings.hpp"

namespace coracle::apiserver::rbac {

namespace {

using Texts = std::vector<std::string>;

constexpr std::string_view kController = "system:controller:";
constexpr std::string_view kManager = "coracle:kube-controller-manager";
constexpr std::string_view kAggregate = "rbac.authorization.k8s.io/aggregate-to-";

Texts words(std::string_view line) {
  Texts out;
  for (const std::string& word : split(line, ' ')) {
    if (!word.empty()) out.push_back(word);
  }
  return out;
}

Texts verbs_of(std::string_view text) {
  if (text == "read") return {"get", "list", "watch"};
  if (text == "write") return {"create", "delete", "deletecollection", "patch", "update"};
  if (text == "all") {
    return {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"};
  }
  return words(text);
}

PolicyRule rule_of(std::string_view line) {
  std::vector<std::string> parts;
  for (const std::string& part : split(line, '|')) parts.emplace_back(trim(part));
  PolicyRule rule;
  rule.verbs = verbs_of(parts[0]);
  if (parts.size() == 2) {
    rule.urls = words(parts[1]);
    return rule;
  }
  CHECK_MSG(parts.size() == 3 || parts.size() == 4, std::string(line));
  rule.groups = words(parts[1]);
  for (std::string& group : rule.groups) {
    if (group == "core") group.clear();
  }
  rule.resources = words(parts[2]);
  if (parts.size() == 4) rule.names = words(parts[3]);
  return rule;
}

DefaultSubject subject_of(const std::string& word) {
  const std::string rest = word.substr(2);
  if (word[0] == 'u') return {"User", rest, ""};
  if (word[0] == 'g') return {"Group", rest, ""};
  const std::size_t slash = rest.find('/');
  CHECK_MSG(word[0] == 's' && slash != std::string::npos, word);
  return {"ServiceAccount", rest.substr(slash + 1), rest.substr(0, slash)};
}

DefaultBinding binding_of(const Texts& parts) {
  DefaultBinding binding;
  binding.name = parts[1];
  std::size_t at = 2;
  binding.role_kind = "ClusterRole";
  if (parts[at] == "in") {
    binding.ns = parts[at + 1];
    binding.role_kind = "Role";
    at += 2;
  }
  binding.role_name = parts[at];
  while (++at < parts.size()) binding.subjects.push_back(subject_of(parts[at]));
  return binding;
}

void read_table(std::string_view table, const std::string& prefix, DefaultPolicy& policy) {
  for (const std::string& raw : split(table, '\n')) {
    const std::string_view line = trim(raw);
    if (line.empty()) continue;
    const Texts parts = words(line);
    if (parts[0] == "role") {
      policy.roles.push_back({parts.size() == 4 ? parts[3] : "", prefix + parts[1], "", "", {}});
    } else if (parts[0] == "gives") {
      policy.roles.back().aggregates_to = parts[1];
    } else if (parts[0] == "from") {
      policy.roles.back().aggregated_from = parts[1];
    } else if (parts[0] == "bind") {
      policy.bindings.push_back(binding_of(parts));
    } else if (line == "events") {
      policy.roles.back().rules.push_back(rule_of("create patch update|core events.k8s.io|events"));
    } else {
      policy.roles.back().rules.push_back(rule_of(line));
    }
  }
}

// view, then edit, which takes view in, then admin: by the tables' order from the back.
void aggregate(DefaultPolicy& policy) {
  for (const std::string_view target : {"view", "edit", "admin"}) {
    PolicyRules all;
    Texts givers;
    for (const DefaultRole& role : policy.roles) {
      if (role.aggregates_to == target) givers.push_back(role.name);
    }
    std::sort(givers.begin(), givers.end());
    for (const std::string& giver : givers) {
      for (const PolicyRule& rule : policy.role("", giver)->rules) {
        if (std::find(all.begin(), all.end(), rule) == all.end()) all.push_back(rule);
      }
    }
    for (DefaultRole& role : policy.roles) {
      if (role.aggregated_from == target) role.rules = all;
    }
  }
}

// Our controller-manager acts for all controllers under one name.
void add_manager(DefaultPolicy& policy) {
  DefaultRole all{"", std::string(kManager), "", "", {}};
  for (const DefaultRole& role : policy.roles) {
    if (!role.name.starts_with(kController) || !role.ns.empty()) continue;
    for (const PolicyRule& rule : role.rules) {
      if (std::find(all.rules.begin(), all.rules.end(), rule) == all.rules.end()) {
        all.rules.push_back(rule);
      }
    }
  }
  policy.roles.push_back(std::move(all));
  policy.bindings.push_back({"",
                             std::string(kManager),
                             "ClusterRole",
                             std::string(kManager),
                             {{"User", "system:kube-controller-manager", ""}}});
}

json::value meta_object(std::string_view kind, const std::string& ns, const std::string& name) {
  json::object metadata{{"name", name}};
  if (!ns.empty()) metadata["namespace"] = ns;
  metadata["labels"] = {{"kubernetes.io/bootstrapping", "rbac-defaults"}};
  metadata["annotations"] = {{kAutoUpdate, "true"}};
  json::object object{{"kind", kind}, {"apiVersion", "rbac.authorization.k8s.io/v1"}};
  object["metadata"] = std::move(metadata);
  return object;
}

}  // namespace

DefaultPolicy DefaultPolicy::parse(std::string_view general, std::string_view controllers) {
  DefaultPolicy policy;
  read_table(general, "", policy);
  const std::size_t first = policy.roles.size();
  read_table(controllers, std::string(kController), policy);
  for (std::size_t i = first; i < policy.roles.size(); ++i) {
    const std::string& name = policy.roles[i].name;
    policy.bindings.push_back(
        {"",
         name,
         "ClusterRole",
         name,
         {{"ServiceAccount", name.substr(kController.size()), "kube-system"}}});
  }
  aggregate(policy);
  add_manager(policy);
  return policy;
}

const DefaultPolicy& DefaultPolicy::get() {
  static const DefaultPolicy policy = parse(general_roles_table(), controller_roles_table());
  return policy;
}

const DefaultRole* DefaultPolicy::role(std::string_view ns, std::string_view name) const {
  for (const DefaultRole& role : roles) {
    if (role.ns == ns && role.name == name) return &role;
  }
  return nullptr;
}

json::value role_object(const DefaultRole& role) {
  json::value object = meta_object(role.ns.empty() ? "ClusterRole" : "Role", role.ns, role.name);
  if (!role.aggregates_to.empty()) {
    make_object(object, "metadata.labels")[std::string(kAggregate) + role.aggregates_to] = "true";
  }
  if (!role.aggregated_from.empty()) {
    json::object labels{{std::string(kAggregate) + role.aggregated_from, "true"}};
    json::object selector;
    selector["matchLabels"] = std::move(labels);
    make_object(object, "aggregationRule")["clusterRoleSelectors"].emplace_array().push_back(
        std::move(selector));
  }
  object.get_object()["rules"] = rules_to_json(role.rules);
  return object;
}

json::value binding_object(const DefaultBinding& binding) {
  json::value object = meta_object(binding.ns.empty() ? "ClusterRoleBinding" : "RoleBinding",
                                   binding.ns, binding.name);
  json::object role{{"apiGroup", kRbacGroup}};
  role["kind"] = binding.role_kind;
  role["name"] = binding.role_name;
  object.get_object()["roleRef"] = std::move(role);
  json::array subjects;
  for (const DefaultSubject& subject : binding.subjects) {
    json::object entry{{"kind", subject.kind}};
    if (subject.ns.empty()) {
      entry["apiGroup"] = kRbacGroup;
    } else {
      entry["namespace"] = subject.ns;
    }
    entry["name"] = subject.name;
    subjects.push_back(std::move(entry));
  }
  if (!subjects.empty()) object.get_object()["subjects"] = std::move(subjects);
  return object;
}

}  // namespace coracle::apiserver::rbac
