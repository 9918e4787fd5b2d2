#include "apiserver/chain/audit.hpp"

#include <algorithm>

#include "base/strings.hpp"
#include "base/yaml.hpp"

namespace coracle::apiserver {

namespace {

using Texts = std::vector<std::string>;

constexpr const char* kLevels[] = {"None", "Metadata", "Request", "RequestResponse"};
constexpr const char* kStages[] = {"RequestReceived", "ResponseStarted", "ResponseComplete",
                                   "Panic"};

Texts texts(const json::value& in, std::string_view key) {
  Texts out;
  for (const json::value& item : get_array(in, key)) {
    if (item.is_string()) out.emplace_back(item.get_string());
  }
  return out;
}

bool has(const Texts& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

// "pods/log", "*/status", "pods/*" (pods too), "*"
bool fits_resource(const std::string& pattern, const RequestInfo& request) {
  if (pattern == "*") return true;
  const std::string& sub = request.subresource;
  if (pattern == (sub.empty() ? request.resource : request.resource + "/" + sub)) return true;
  if (!sub.empty() && pattern == "*/" + sub) return true;
  return pattern == request.resource + "/*";
}

bool fits_url(const std::string& pattern, const std::string& path) {
  if (!pattern.ends_with('*')) return pattern == path;
  return path.starts_with(std::string_view(pattern).substr(0, pattern.size() - 1));
}

json::value user_tree(const UserInfo& user) {
  json::object out;
  if (!user.name.empty()) out["username"] = user.name;
  if (!user.uid.empty()) out["uid"] = user.uid;
  if (!user.groups.empty()) out["groups"] = json::array(user.groups.begin(), user.groups.end());
  if (!user.extra.empty()) {
    json::object& extra = out["extra"].emplace_object();
    for (const auto& [key, values] : user.extra) {
      extra[key] = json::array(values.begin(), values.end());
    }
  }
  return out;
}

json::value object_reference(const RequestInfo& info) {
  json::object out;
  out["resource"] = info.resource;
  if (!info.ns.empty()) out["namespace"] = info.ns;
  if (!info.name.empty()) out["name"] = info.name;
  if (!info.group.empty()) out["apiGroup"] = info.group;
  out["apiVersion"] = info.version;
  if (!info.subresource.empty()) out["subresource"] = info.subresource;
  return out;
}

json::value response_status(const AuditRecord& record) {
  json::object out;
  out["metadata"] = json::object();
  if (record.response != nullptr && get_string(*record.response, "kind") == "Status") {
    for (const std::string_view name : {"status", "message", "reason"}) {
      const std::string_view text = get_string(*record.response, name);
      if (!text.empty()) out[name] = text;
    }
  }
  out["code"] = record.code;
  return out;
}

}  // namespace

Result<AuditPolicy::Rule> AuditPolicy::parse_rule(const json::value& in,
                                                  const std::set<std::string>& omitted,
                                                  bool managed_fields) {
  Rule rule;
  const std::string_view level = get_string(in, "level");
  const auto known = std::find(std::begin(kLevels), std::end(kLevels), level);
  if (known == std::end(kLevels)) {
    return invalid_argument("rules: level " + quoted(level) +
                            ": supported values: \"None\", \"Metadata\", \"Request\", "
                            "\"RequestResponse\"");
  }
  rule.verdict.level = static_cast<AuditLevel>(known - std::begin(kLevels));
  std::set<std::string> without = omitted;
  for (std::string& stage : texts(in, "omitStages")) without.insert(std::move(stage));
  for (const std::string& stage : without) {
    if (std::find(std::begin(kStages), std::end(kStages), stage) == std::end(kStages)) {
      return invalid_argument("omitStages: " + quoted(stage) + " is no stage");
    }
  }
  rule.verdict.received = !without.contains(kStages[0]);
  rule.verdict.started = !without.contains(kStages[1]);
  rule.verdict.complete = !without.contains(kStages[2]);
  rule.verdict.managed_fields = !get_bool(in, "omitManagedFields", !managed_fields);
  rule.users = texts(in, "users");
  rule.groups = texts(in, "userGroups");
  rule.verbs = texts(in, "verbs");
  rule.namespaces = texts(in, "namespaces");
  rule.urls = texts(in, "nonResourceURLs");
  for (const json::value& item : get_array(in, "resources")) {
    rule.resources.push_back({std::string(get_string(item, "group")), texts(item, "resources"),
                              texts(item, "resourceNames")});
  }
  if (!rule.urls.empty() && (!rule.resources.empty() || !rule.namespaces.empty())) {
    return invalid_argument("rules: a rule is for resources or for nonResourceURLs, not for both");
  }
  return rule;
}

Result<AuditPolicy> AuditPolicy::parse(std::string_view text) {
  ASSIGN_OR_RETURN(const json::value tree, parse_yaml_strict(text));
  if (get_string(tree, "kind") != "Policy" ||
      !get_string(tree, "apiVersion").starts_with("audit.k8s.io/")) {
    return invalid_argument("not a Policy of audit.k8s.io/v1");
  }
  const Texts stages = texts(tree, "omitStages");
  const std::set<std::string> omitted(stages.begin(), stages.end());
  AuditPolicy out;
  for (const json::value& in : get_array(tree, "rules")) {
    ASSIGN_OR_RETURN(Rule rule, parse_rule(in, omitted, !get_bool(tree, "omitManagedFields")));
    out.rules_.push_back(std::move(rule));
  }
  if (out.rules_.empty()) return invalid_argument("a policy needs rules");
  return out;
}

AuditPolicy AuditPolicy::metadata() {
  AuditPolicy out;
  out.rules_.emplace_back().verdict.level = AuditLevel::kMetadata;
  return out;
}

bool AuditPolicy::fits(const Rule& rule, const UserInfo& user, const RequestInfo& request) {
  if (!rule.users.empty() && !has(rule.users, user.name)) return false;
  const bool grouped = std::any_of(rule.groups.begin(), rule.groups.end(),
                                   [&](const std::string& group) { return user.in_group(group); });
  if (!rule.groups.empty() && !grouped) return false;
  if (!rule.verbs.empty() && !has(rule.verbs, "*") && !has(rule.verbs, request.verb)) return false;
  if (!request.is_resource) {
    if (!rule.resources.empty() || !rule.namespaces.empty()) return false;
    return rule.urls.empty() ||
           std::any_of(rule.urls.begin(), rule.urls.end(),
                       [&](const std::string& url) { return fits_url(url, request.path); });
  }
  if (!rule.urls.empty()) return false;
  if (!rule.namespaces.empty() && !has(rule.namespaces, request.ns)) return false;
  if (rule.resources.empty()) return true;
  return std::any_of(rule.resources.begin(), rule.resources.end(), [&](const Resources& some) {
    if (some.group != request.group) return false;
    if (some.resources.empty()) return true;
    if (!some.names.empty() && !has(some.names, request.name)) return false;
    return std::any_of(some.resources.begin(), some.resources.end(),
                       [&](const std::string& p) { return fits_resource(p, request); });
  });
}

AuditPolicy::Verdict AuditPolicy::decide(const UserInfo& user, const RequestInfo& request) const {
  for (const Rule& rule : rules_) {
    if (fits(rule, user, request)) return rule.verdict;
  }
  return {};
}

namespace {

json::value without_managed_fields(json::value object) {
  if (!object.is_object()) return object;
  json::object& members = object.get_object();
  if (auto* metadata = find_member(members, "metadata"); metadata && metadata->is_object()) {
    metadata->get_object().erase("managedFields");
  }
  if (auto* items = find_member(members, "items"); items && items->is_array()) {
    for (json::value& item : items->get_array()) item = without_managed_fields(std::move(item));
  }
  return object;
}

json::object event_of(const AuditRecord& r, AuditLevel level) {
  json::object event;
  event["kind"] = "Event";
  event["apiVersion"] = "audit.k8s.io/v1";
  event["level"] = kLevels[static_cast<int>(level)];
  event["auditID"] = r.id;
  event["stage"] = kStages[0];
  event["requestURI"] = r.request.target;
  event["verb"] = r.info.is_resource ? r.info.verb : to_lower(r.request.method);
  event["user"] = user_tree(r.user);
  if (r.impersonated != nullptr) event["impersonatedUser"] = user_tree(*r.impersonated);
  event["sourceIPs"] = json::array{json::value(r.request.peer.address)};
  const std::string_view agent = r.request.headers.get("user-agent");
  if (!agent.empty()) event["userAgent"] = agent;
  if (r.info.is_resource) {
    event["objectRef"] = object_reference(r.info);
    const bool named = !r.info.name.empty() || r.object == nullptr;
    const std::string_view name = named ? "" : get_string(*r.object, "metadata.name");
    if (!name.empty()) event["objectRef"].get_object()["name"] = name;
  }
  event["requestReceivedTimestamp"] = format_micro_time(r.received);
  event["stageTimestamp"] = format_micro_time(r.received);
  return event;
}

}  // namespace

void AuditLog::record(const AuditRecord& r) const {
  const AuditPolicy::Verdict verdict = policy_.decide(r.user, r.info);
  if (verdict.level == AuditLevel::kNone) return;
  const bool started = r.stage == AuditRecord::Stage::kStarted;
  json::object event = event_of(r, verdict.level);
  if (verdict.received && r.stage != AuditRecord::Stage::kStreamEnded) {
    sink_(to_json(json::value(event)) + "\n");
  }
  if (!(started ? verdict.started : verdict.complete)) return;
  event["stage"] = started ? kStages[1] : kStages[2];
  event["stageTimestamp"] = format_micro_time(r.now);
  event["responseStatus"] = response_status(r);
  const auto shown = [&](const json::value& object) {
    return verdict.managed_fields ? object : without_managed_fields(object);
  };
  if (verdict.level >= AuditLevel::kRequest && r.object != nullptr) {
    event["requestObject"] = shown(*r.object);
  }
  if (verdict.level == AuditLevel::kRequestResponse && r.response != nullptr) {
    event["responseObject"] = shown(*r.response);
  }
  json::object notes;
  if (!r.decision.empty()) {
    notes["authorization.k8s.io/decision"] = r.decision;
    notes["authorization.k8s.io/reason"] = r.reason;
  }
  if (r.annotations != nullptr) {
    for (const auto& [key, value] : *r.annotations) notes[key] = value;
  }
  if (!notes.empty()) event["annotations"] = std::move(notes);
  sink_(to_json(json::value(std::move(event))) + "\n");
}

}  // namespace coracle::apiserver
