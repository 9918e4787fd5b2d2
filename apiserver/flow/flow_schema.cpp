#include "apiserver/flow/flow_schema.hpp"

#include <algorithm>
#include <tuple>

#include "api/object.hpp"

namespace coracle::apiserver {

namespace {

std::vector<std::string> texts(const json::value& in, std::string_view key) {
  std::vector<std::string> out;
  for (const json::value& item : get_array(in, key)) {
    if (item.is_string()) out.emplace_back(item.get_string());
  }
  return out;
}

bool names(const std::vector<std::string>& list, std::string_view text) {
  for (const std::string& one : list) {
    if (one == "*" || one == text) return true;
  }
  return false;
}

// "pods", "pods/log", "*"
bool names_resource(const std::vector<std::string>& list, const RequestInfo& request) {
  for (const std::string& one : list) {
    if (one == "*") return true;
    std::string_view rest = one;
    if (!rest.starts_with(request.resource)) continue;
    rest.remove_prefix(request.resource.size());
    if (request.subresource.empty()) {
      if (rest.empty()) return true;
    } else if (rest.starts_with('/') && rest.substr(1) == request.subresource) {
      return true;
    }
  }
  return false;
}

bool names_url(const std::vector<std::string>& list, std::string_view path) {
  for (const std::string& one : list) {
    if (one == "*" || one == path) return true;
    if (one.ends_with('*') && path.starts_with(std::string_view(one).substr(0, one.size() - 1))) {
      return true;
    }
  }
  return false;
}

constexpr std::string_view kAccountPrefix = "system:serviceaccount:";

}  // namespace

FlowSchema::Rule FlowSchema::rule_from_json(const json::value& in) {
  Rule rule;
  for (const json::value& one : get_array(in, "subjects")) {
    const std::string_view kind = get_string(one, "kind");
    Subject subject;
    if (kind == "User") {
      subject.name = get_string(one, "user.name");
    } else if (kind == "Group") {
      subject.kind = Subject::Kind::kGroup;
      subject.name = get_string(one, "group.name");
    } else {
      subject.kind = Subject::Kind::kServiceAccount;
      subject.name = get_string(one, "serviceAccount.name");
      subject.ns = get_string(one, "serviceAccount.namespace");
    }
    rule.subjects.push_back(std::move(subject));
  }
  for (const json::value& one : get_array(in, "resourceRules")) {
    rule.resources.push_back({texts(one, "verbs"), texts(one, "apiGroups"), texts(one, "resources"),
                              texts(one, "namespaces"), get_bool(one, "clusterScope")});
  }
  for (const json::value& one : get_array(in, "nonResourceRules")) {
    rule.urls.push_back({texts(one, "verbs"), texts(one, "nonResourceURLs")});
  }
  return rule;
}

FlowSchema FlowSchema::from_json(const json::value& object) {
  FlowSchema out;
  out.name_ = api::name_of(object);
  out.uid_ = get_string(object, "metadata.uid");
  out.level_ = get_string(object, "spec.priorityLevelConfiguration.name");
  out.precedence_ = static_cast<int>(get_int(object, "spec.matchingPrecedence", 1000));
  const std::string_view method = get_string(object, "spec.distinguisherMethod.type");
  if (method == "ByUser") out.distinguisher_ = Distinguisher::kByUser;
  if (method == "ByNamespace") out.distinguisher_ = Distinguisher::kByNamespace;
  for (const json::value& rule : get_array(object, "spec.rules")) {
    out.rules_.push_back(rule_from_json(rule));
  }
  return out;
}

bool FlowSchema::before(const FlowSchema& other) const {
  return std::tie(precedence_, name_) < std::tie(other.precedence_, other.name_);
}

bool FlowSchema::fits(const Subject& subject, const UserInfo& user) {
  switch (subject.kind) {
    case Subject::Kind::kUser:
      return subject.name == "*" || subject.name == user.name;
    case Subject::Kind::kGroup:
      return subject.name == "*" || user.in_group(subject.name);
    case Subject::Kind::kServiceAccount: {
      std::string_view rest = user.name;
      if (!rest.starts_with(kAccountPrefix)) return false;
      rest.remove_prefix(kAccountPrefix.size());
      if (!rest.starts_with(subject.ns)) return false;
      rest.remove_prefix(subject.ns.size());
      return rest.starts_with(':') && (subject.name == "*" || rest.substr(1) == subject.name);
    }
  }
  return false;
}

bool FlowSchema::fits(const Rule& rule, const RequestInfo& request) {
  if (!request.is_resource) {
    return std::any_of(rule.urls.begin(), rule.urls.end(), [&](const UrlRule& one) {
      return names(one.verbs, request.verb) && names_url(one.urls, request.path);
    });
  }
  return std::any_of(rule.resources.begin(), rule.resources.end(), [&](const ResourceRule& one) {
    if (!names(one.verbs, request.verb) || !names(one.groups, request.group)) return false;
    if (!names_resource(one.resources, request)) return false;
    return request.ns.empty() ? one.cluster_scope : names(one.namespaces, request.ns);
  });
}

bool FlowSchema::matches(const UserInfo& user, const RequestInfo& request) const {
  return std::any_of(rules_.begin(), rules_.end(), [&](const Rule& rule) {
    const bool mine = std::any_of(rule.subjects.begin(), rule.subjects.end(),
                                  [&](const Subject& one) { return fits(one, user); });
    return mine && fits(rule, request);
  });
}

const std::string& FlowSchema::flow_of(const UserInfo& user, const RequestInfo& request) const {
  static const std::string kOne;
  if (distinguisher_ == Distinguisher::kByUser) return user.name;
  return distinguisher_ == Distinguisher::kByNamespace ? request.ns : kOne;
}

PriorityLevel PriorityLevel::from_json(const json::value& object) {
  PriorityLevel out;
  out.name = api::name_of(object);
  out.uid = get_string(object, "metadata.uid");
  out.exempt = get_string(object, "spec.type") == "Exempt";
  const auto number = [&](const std::string& path, int other) {
    return static_cast<int>(get_int(object, path, other));
  };
  const std::string own = out.exempt ? "spec.exempt" : "spec.limited";
  out.shares = number(own + ".nominalConcurrencyShares", out.exempt ? 0 : 30);
  out.lendable_percent = number(own + ".lendablePercent", 0);
  if (find(object, "spec.limited.borrowingLimitPercent") != nullptr) {
    out.borrowing_limit_percent = number("spec.limited.borrowingLimitPercent", 0);
  }
  if (get_string(object, "spec.limited.limitResponse.type") == "Queue") {
    const std::string queuing = "spec.limited.limitResponse.queuing";
    out.queues = number(queuing + ".queues", 64);
    out.hand_size = number(queuing + ".handSize", 8);
    out.queue_length_max = number(queuing + ".queueLengthLimit", 50);
  }
  return out;
}

}  // namespace coracle::apiserver
