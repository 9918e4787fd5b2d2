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

// "pods/log", "*/status", "pods/*", "*"
bool fits_resource(const std::string& pattern, const RequestInfo& request) {
  if (pattern == "*") return true;
  const size_t slash = pattern.find('/');
  const std::string resource = pattern.substr(0, slash);
  const std::string sub = slash == std::string::npos ? "" : pattern.substr(slash + 1);
  return (resource == "*" || resource == request.resource) &&
         (sub == request.subresource || (sub == "*" && !request.subresource.empty()));
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
                                                  const std::set<std::string>& omitted) {
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
  ASSIGN_OR_RETURN(const json::value tree, parse_yaml_one(text));
  if (get_string(tree, "kind") != "Policy" ||
      !get_string(tree, "apiVersion").starts_with("audit.k8s.io/")) {
    return invalid_argument("not a Policy of audit.k8s.io/v1");
  }
  const Texts stages = texts(tree, "omitStages");
  const std::set<std::string> omitted(stages.begin(), stages.end());
  AuditPolicy out;
  for (const json::value& in : get_array(tree, "rules")) {
    ASSIGN_OR_RETURN(Rule rule, parse_rule(in, omitted));
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
    if (!some.names.empty() && !has(some.names, request.name)) return false;
    return some.resources.empty() ||
           std::any_of(some.resources.begin(), some.resources.end(),
                       [&](const std::string& p) { return fits_resource(p, request); });
  });
}

AuditPolicy::Verdict AuditPolicy::decide(const UserInfo& user, const RequestInfo& request) const {
  for (const Rule& rule : rules_) {
    if (fits(rule, user, request)) return rule.verdict;
  }
  return {};
}

void AuditLog::record(const AuditRecord& r) const {
  const AuditPolicy::Verdict verdict = policy_.decide(r.user, r.info);
  if (verdict.level == AuditLevel::kNone) return;
  json::object event;
  event["kind"] = "Event";
  event["apiVersion"] = "audit.k8s.io/v1";
  event["level"] = kLevels[static_cast<int>(verdict.level)];
  event["auditID"] = r.id;
  event["stage"] = kStages[0];
  event["requestURI"] = r.request.target;
  event["verb"] = r.info.is_resource ? r.info.verb : to_lower(r.request.method);
  event["user"] = user_tree(r.user);
  event["sourceIPs"] = json::array{json::value(r.request.peer.address)};
  const std::string_view agent = r.request.headers.get("user-agent");
  if (!agent.empty()) event["userAgent"] = agent;
  if (r.info.is_resource) event["objectRef"] = object_reference(r.info);
  event["requestReceivedTimestamp"] = format_micro_time(r.received);
  event["stageTimestamp"] = format_micro_time(r.received);
  if (verdict.received) sink_(to_json(json::value(event)) + "\n");
  if (!(r.streaming ? verdict.started : verdict.complete)) return;
  event["stage"] = r.streaming ? kStages[1] : kStages[2];
  event["stageTimestamp"] = format_micro_time(r.now);
  event["responseStatus"] = response_status(r);
  if (r.annotations != nullptr && !r.annotations->empty()) {
    json::object& notes = event["annotations"].emplace_object();
    for (const auto& [key, value] : *r.annotations) notes[key] = value;
  }
  if (verdict.level >= AuditLevel::kRequest && !r.request.body.empty()) {
    auto body = parse_json(r.request.body);
    if (body.ok()) event["requestObject"] = *std::move(body);
  }
  if (verdict.level == AuditLevel::kRequestResponse && r.response != nullptr) {
    event["responseObject"] = *r.response;
  }
  sink_(to_json(json::value(std::move(event))) + "\n");
}

}  // namespace coracle::apiserver
