// create role, clusterrole, rolebinding, clusterrolebinding, poddisruptionbudget, priorityclass,
// quota
#include <algorithm>

#include "api/quantity.hpp"
#include "api/selectors.hpp"
#include "base/strings.hpp"
#include "commands/commands.hpp"
#include "commands/create.hpp"
#include "commands/pod_parts.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;
constexpr const char* kRbac = "rbac.authorization.k8s.io/v1";

std::vector<std::string> unique(std::vector<std::string> list) {
  std::vector<std::string> out;
  for (std::string& item : list) {
    if (std::find(out.begin(), out.end(), item) == out.end()) out.push_back(std::move(item));
  }
  return out;
}

// A rule for each group: [{apiGroups, resources, verbs}]
Result<json::array> rules_of(Invocation& call) {
  const auto verbs = unique(call.flags.list("verb"));
  if (verbs.empty()) return fail("at least one verb must be specified");
  const auto urls = call.flags.list("non-resource-url");
  json::array rules;
  if (!urls.empty()) {
    json::object rule;
    rule["nonResourceURLs"] = string_array(urls);
    rule["verbs"] = string_array(verbs);
    rules.push_back(std::move(rule));
    return rules;
  }
  static const std::vector<std::string> kVerbs = {
      "*",     "get",   "delete",           "list", "create", "update",   "patch",
      "watch", "proxy", "deletecollection", "use",  "bind",   "escalate", "impersonate"};
  for (const std::string& verb : verbs) {
    if (std::find(kVerbs.begin(), kVerbs.end(), verb) == kVerbs.end()) {
      call.session.warn("Warning: '" + verb + "' is not a standard resource verb");
    }
  }
  const auto resources = unique(call.flags.list("resource"));
  if (resources.empty()) return fail("at least one resource must be specified");
  ASSIGN_OR_RETURN(const Discovery* discovery, call.session.discovery());
  std::vector<std::pair<std::string, std::vector<std::string>>> groups;
  for (const std::string& text : resources) {
    const size_t slash = text.find('/');
    const std::string base = text.substr(0, slash);
    const std::string sub = slash == text.npos ? "" : text.substr(slash);
    const Resource* resource = base == "*" ? nullptr : discovery->find(base);
    if (!resource && base != "*") {
      const size_t dot = base.find('.');
      const std::string group = dot == base.npos ? "" : base.substr(dot + 1);
      return invalid_argument("the server doesn't have a resource type " +
                              quoted(base.substr(0, dot)) +
                              (group.empty() ? "" : " in group " + quoted(group)));
    }
    const std::string group = resource ? resource->group : "*";
    const std::string plural = (resource ? resource->plural : "*") + sub;
    auto found = std::find_if(groups.begin(), groups.end(),
                              [&](const auto& entry) { return entry.first == group; });
    if (found == groups.end()) found = groups.insert(groups.end(), {group, {}});
    found->second.push_back(plural);
  }
  std::sort(groups.begin(), groups.end());
  for (const auto& [group, plurals] : groups) {
    json::object rule;
    rule["apiGroups"] = string_array({group});
    rule["resources"] = string_array(plurals);
    if (const auto names = call.flags.list("resource-name"); !names.empty()) {
      rule["resourceNames"] = string_array(names);
    }
    rule["verbs"] = string_array(verbs);
    rules.push_back(std::move(rule));
  }
  return rules;
}

Status create_role(Invocation& call, const char* kind) {
  ASSIGN_OR_RETURN(const std::string name, exact_name(call));
  json::value object = new_object(kRbac, kind, name);
  if (const auto labels = call.flags.list("aggregation-rule"); !labels.empty()) {
    ASSIGN_OR_RETURN(json::object match, parse_labels(labels));
    json::object selector;
    selector["matchLabels"] = std::move(match);
    json::array selectors;
    selectors.push_back(std::move(selector));
    set_path(object, "aggregationRule.clusterRoleSelectors", json::value(std::move(selectors)));
    object.as_object()["rules"].emplace_array();
  } else {
    ASSIGN_OR_RETURN(json::array rules, rules_of(call));
    object.as_object()["rules"] = std::move(rules);
  }
  return create_object(call, std::move(object), "");
}

Result<json::array> subjects_of(Invocation& call) {
  json::array out;
  for (const auto& [flag, kind] : {std::pair{"user", "User"}, std::pair{"group", "Group"}}) {
    for (const std::string& name : unique(call.flags.list(flag))) {
      json::object subject;
      subject["apiGroup"] = "rbac.authorization.k8s.io";
      subject["kind"] = kind;
      subject["name"] = name;
      out.push_back(std::move(subject));
    }
  }
  for (const std::string& account : unique(call.flags.list("serviceaccount"))) {
    const auto parts = split(account, ':');
    if (parts.size() != 2 || parts[0].empty() || parts[1].empty()) {
      return fail("serviceaccount must be <namespace>:<name>");
    }
    json::object subject;
    subject["kind"] = "ServiceAccount";
    subject["name"] = parts[1];
    subject["namespace"] = parts[0];
    out.push_back(std::move(subject));
  }
  return out;
}

Status create_binding(Invocation& call, const char* kind) {
  ASSIGN_OR_RETURN(const std::string name, exact_name(call));
  const std::string role = call.flags.get("role"), cluster_role = call.flags.get("clusterrole");
  if (role.empty() == cluster_role.empty()) {
    return fail("exactly one of clusterrole or role must be specified");
  }
  json::value object = new_object(kRbac, kind, name);
  json::object reference;
  reference["apiGroup"] = "rbac.authorization.k8s.io";
  reference["kind"] = role.empty() ? "ClusterRole" : "Role";
  reference["name"] = role.empty() ? cluster_role : role;
  object.as_object()["roleRef"] = std::move(reference);
  ASSIGN_OR_RETURN(json::array subjects, subjects_of(call));
  if (!subjects.empty()) object.as_object()["subjects"] = std::move(subjects);
  return create_object(call, std::move(object), "failed to create " + to_lower(kind));
}

json::value number_or_text(const std::string& text) {
  long long number = 0;
  return parse_int(text, &number) ? json::value(number) : json::value(text);
}

Status create_budget(Invocation& call) {
  ASSIGN_OR_RETURN(const std::string name, exact_name(call));
  const std::string selector_text = call.flags.get("selector");
  const std::string min = call.flags.get("min-available");
  const std::string max = call.flags.get("max-unavailable");
  if (selector_text.empty()) return fail("a selector must be specified");
  if (min.empty() == max.empty()) {
    return fail(min.empty() ? "one of min-available or max-unavailable must be specified"
                            : "min-available and max-unavailable cannot be both specified");
  }
  const auto selector = api::LabelSelector::parse(selector_text);
  if (!selector.ok()) return fail(selector.status().message());
  json::value object = new_object("policy/v1", "PodDisruptionBudget", name);
  if (!min.empty()) set_path(object, "spec.minAvailable", number_or_text(min));
  if (!max.empty()) set_path(object, "spec.maxUnavailable", number_or_text(max));
  json::object labels;
  for (const api::LabelRequirement& requirement : selector->requirements()) {
    if (requirement.op == api::LabelOp::kEquals) labels[requirement.key] = requirement.values[0];
  }
  set_path(object, "spec.selector.matchLabels", json::value(std::move(labels)));
  for (const char* count :
       {"currentHealthy", "desiredHealthy", "disruptionsAllowed", "expectedPods"}) {
    set_path(object, std::string("status.") + count, json::value(0));
  }
  return create_object(call, std::move(object), "failed to create poddisruptionbudgets");
}

Status create_priority_class(Invocation& call) {
  ASSIGN_OR_RETURN(const std::string name, exact_name(call));
  json::value object = new_object("scheduling.k8s.io/v1", "PriorityClass", name);
  json::object& root = object.as_object();
  root["value"] = call.flags.get_int("value");
  if (call.flags.is_set("global-default")) root["globalDefault"] = true;
  if (!call.flags.get("description").empty()) root["description"] = call.flags.get("description");
  root["preemptionPolicy"] = call.flags.get("preemption-policy");
  return create_object(call, std::move(object), "failed to create PriorityClass");
}

Result<api::Quantity> quantity_of(const json::value& amount) {
  auto parsed = api::Quantity::parse(std::string(amount.as_string()));
  if (!parsed.ok()) return fail(parsed.status().message());
  return parsed;
}

Status create_quota(Invocation& call) {
  ASSIGN_OR_RETURN(const std::string name, exact_name(call));
  json::value object = new_object("v1", "ResourceQuota", name);
  ASSIGN_OR_RETURN(json::object hard, parse_labels(call.flags.list("hard")));
  for (auto& [resource, amount] : hard) {
    ASSIGN_OR_RETURN(const api::Quantity parsed, quantity_of(amount));
    amount = parsed.text();
  }
  make_object(object, "spec");
  if (!hard.empty()) set_path(object, "spec.hard", json::value(std::move(hard)));
  if (const auto scopes = call.flags.list("scopes"); !scopes.empty()) {
    set_path(object, "spec.scopes", json::value(string_array(scopes)));
  }
  make_object(object, "status");
  return create_object(call, std::move(object), "failed to create quota");
}

Command role_command(const char* name, const char* kind) {
  Command out{.name = std::string("create ") + name,
              .usage = "NAME --verb=VERB --resource=RESOURCE",
              .summary = std::string("Create a ") + name,
              .examples = std::string("  kubectl create ") + name +
                          " reader --verb=get,list --resource=pods\n",
              .flags = create_flags()};
  out.flags.push_back({"verb", 0, FlagType::kList, "", "What is allowed"});
  out.flags.push_back({"resource", 0, FlagType::kList, "", "On which resources"});
  out.flags.push_back({"resource-name", 0, FlagType::kArray, "", "On these names only"});
  out.flags.push_back({"non-resource-url", 0, FlagType::kList, "", "On these paths"});
  out.flags.push_back({"aggregation-rule", 0, FlagType::kList, "", "Labels of roles to join"});
  const std::string kind_name = kind;
  out.run = [kind_name](Invocation& call) { return create_role(call, kind_name.c_str()); };
  return out;
}

Command binding_command(const char* name, const char* kind) {
  Command out{
      .name = std::string("create ") + name,
      .usage = "NAME --clusterrole=NAME|--role=NAME [--user=U] [--serviceaccount=NS:N]",
      .summary = std::string("Create a ") + name,
      .examples = std::string("  kubectl create ") + name + " read --clusterrole=view --user=kit\n",
      .flags = create_flags()};
  out.flags.push_back({"role", 0, FlagType::kString, "", "The role in the namespace"});
  out.flags.push_back({"clusterrole", 0, FlagType::kString, "", "The cluster role"});
  out.flags.push_back({"user", 0, FlagType::kArray, "", "To whom; may be repeated"});
  out.flags.push_back({"group", 0, FlagType::kArray, "", "To which group"});
  out.flags.push_back({"serviceaccount", 0, FlagType::kArray, "", "namespace:name"});
  const std::string kind_name = kind;
  out.run = [kind_name](Invocation& call) { return create_binding(call, kind_name.c_str()); };
  return out;
}

}  // namespace

std::vector<Command> create_policy_commands() {
  Command budget{.name = "create poddisruptionbudget",
                 .usage = "NAME --selector=LABELS --min-available=N",
                 .summary = "Create a pod disruption budget",
                 .examples = "  kubectl create pdb web --selector=app=web --min-available=2\n",
                 .flags = create_flags(),
                 .run = create_budget,
                 .aliases = {"pdb"}};
  budget.flags.push_back({"selector", 0, FlagType::kString, "", "Which pods"});
  budget.flags.push_back({"min-available", 0, FlagType::kString, "", "A number or a percentage"});
  budget.flags.push_back({"max-unavailable", 0, FlagType::kString, "", "A number or a percentage"});
  Command priority{.name = "create priorityclass",
                   .usage = "NAME --value=N",
                   .summary = "Create a priority class",
                   .examples = "  kubectl create priorityclass high --value=1000\n",
                   .flags = create_flags(),
                   .run = create_priority_class,
                   .aliases = {"pc"}};
  priority.flags.push_back({"value", 0, FlagType::kInt, "0", "The priority"});
  priority.flags.push_back({"global-default", 0, FlagType::kBool, "false", "For pods without one"});
  priority.flags.push_back({"description", 0, FlagType::kString, "", "What it is for"});
  priority.flags.push_back(
      {"preemption-policy", 0, FlagType::kString, "PreemptLowerPriority", "Or Never"});
  Command quota{.name = "create quota",
                .usage = "NAME --hard=K=V,...",
                .summary = "Create a resource quota",
                .examples = "  kubectl create quota small --hard=pods=3,cpu=2\n",
                .flags = create_flags(),
                .run = create_quota,
                .aliases = {"resourcequota"}};
  quota.flags.push_back({"hard", 0, FlagType::kList, "", "resource=amount pairs"});
  quota.flags.push_back({"scopes", 0, FlagType::kList, "", "Which pods count"});
  return {role_command("role", "Role"),
          role_command("clusterrole", "ClusterRole"),
          binding_command("rolebinding", "RoleBinding"),
          binding_command("clusterrolebinding", "ClusterRoleBinding"),
          budget,
          priority,
          quota};
}

}  // namespace coracle::kubectl
