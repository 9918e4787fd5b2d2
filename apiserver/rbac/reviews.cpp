#include "apiserver/rbac/reviews.hpp"

#include <algorithm>

#include "api/object.hpp"
#include "apiserver/registry/codec.hpp"
#include "apiserver/registry/token_issuer.hpp"
#include "apiserver/registry/writer.hpp"

namespace coracle::apiserver::rbac {

namespace {

std::string text(const json::value& object, std::string_view path) {
  return std::string(get_string(object, path));
}

std::vector<std::string> texts(const json::array& list) {
  std::vector<std::string> out;
  for (const json::value& entry : list) {
    if (entry.is_string()) out.emplace_back(entry.get_string());
  }
  return out;
}

json::array list_of(const std::vector<std::string>& list) {
  json::array out;
  for (const std::string& entry : list) out.emplace_back(entry);
  return out;
}

json::object user_object(const UserInfo& user) {
  json::object out{{"username", user.name}};
  if (!user.uid.empty()) out["uid"] = user.uid;
  if (!user.groups.empty()) out["groups"] = list_of(user.groups);
  if (user.extra.empty()) return out;
  json::object& extra = out["extra"].emplace_object();
  for (const auto& [key, values] : user.extra) extra[key] = list_of(values);
  return out;
}

UserInfo user_of(const json::value& spec) {
  UserInfo user{text(spec, "user"), text(spec, "uid"), texts(get_array(spec, "groups")), {}};
  for (const auto& entry : get_object(spec, "extra")) {
    if (entry.value().is_array()) user.extra[entry.key()] = texts(entry.value().get_array());
  }
  return user;
}

// What is asked about. A missing verb is a verb that nobody may.
RequestInfo request_of(const json::value& spec) {
  RequestInfo asked;
  const json::value* resource = find(spec, "resourceAttributes");
  asked.is_resource = resource != nullptr && !resource->is_null();
  if (!asked.is_resource) {
    asked.verb = text(spec, "nonResourceAttributes.verb");
    asked.path = text(spec, "nonResourceAttributes.path");
    return asked;
  }
  asked.verb = text(*resource, "verb");
  asked.group = text(*resource, "group");
  asked.version = text(*resource, "version");
  asked.ns = text(*resource, "namespace");
  asked.resource = text(*resource, "resource");
  asked.subresource = text(*resource, "subresource");
  asked.name = text(*resource, "name");
  for (const json::value& term : get_array(*resource, "fieldSelector.requirements")) {
    const json::array& values = get_array(term, "values");
    if (get_string(term, "operator") != "In" || values.size() != 1) continue;
    if (get_string(term, "key") == "spec.nodeName") asked.selected_node = texts(values).front();
  }
  return asked;
}

bool given(const json::value& spec, std::string_view member) {
  const json::value* value = find(spec, member);
  return value != nullptr && !value->is_null();
}

json::value value_at(const json::value& object, std::string_view path) {
  const json::value* value = find(object, path);
  return value == nullptr ? json::value() : *value;
}

api::FieldErrors check_access(const Context& c, const json::value& object) {
  api::FieldErrors errors;
  const api::FieldPath spec("spec");
  const json::value body = value_at(object, "spec");
  const bool resource = given(body, "resourceAttributes");
  const bool path = given(body, "nonResourceAttributes");
  if (resource && path) {
    errors.invalid(spec.child("nonResourceAttributes"), value_at(body, "nonResourceAttributes"),
                   "cannot be specified in combination with resourceAttributes");
  }
  if (!resource && !path) {
    errors.invalid(spec.child("resourceAttributes"), json::value(),
                   "exactly one of nonResourceAttributes or resourceAttributes must be specified");
  }
  const bool self = c.resource->kind == "SelfSubjectAccessReview";
  if (!self && text(body, "user").empty() && get_array(body, "groups").empty()) {
    errors.invalid(spec.child("user"), json::value(""),
                   "at least one of user or group must be specified");
  }
  if (!c.resource->namespaced) return errors;
  if (!resource || text(body, "resourceAttributes.namespace") != c.info.ns) {
    errors.invalid(spec.child("resourceAttributes").child("namespace"),
                   json::value(text(body, "resourceAttributes.namespace")),
                   "must match metadata.namespace");
  }
  if (path) {
    errors.invalid(spec.child("nonResourceAttributes"), value_at(body, "nonResourceAttributes"),
                   "disallowed on this kind of request");
  }
  return errors;
}

}  // namespace

Reviews::Answer Reviews::access(const Context& c, const json::value& object) const {
  const api::FieldErrors errors = check_access(c, object);
  if (!errors.empty()) return api::invalid_error(c.group_kind(), api::name_of(object), errors);
  const json::value& spec = *find(object, "spec");
  const bool self = c.resource->kind == "SelfSubjectAccessReview";
  const Decision decision = access_.decide(self ? c.user : user_of(spec), request_of(spec));
  json::object status{{"allowed", decision.allowed}};
  if (!decision.reason.empty()) status["reason"] = decision.reason;
  return status;
}

Reviews::Answer Reviews::rules(const Context& c, const json::value& object) const {
  const std::string ns = text(object, "spec.namespace");
  if (ns.empty()) return api::bad_request_error("no namespace on request");
  std::vector<std::string> errors;
  json::array resources, paths;
  for (const PolicyRule& rule : access_.roles().rules_for(c.user, ns, &errors)) {
    if (!rule.resources.empty()) {
      PolicyRule part = rule;
      part.urls.clear();
      resources.push_back(part.to_json());
    }
    if (!rule.urls.empty())
      paths.push_back(PolicyRule{rule.verbs, {}, {}, {}, rule.urls}.to_json());
  }
  const bool node = node_identity(c.user).has_value();
  if (node) errors.emplace_back("node authorizer does not support user rule resolution");
  json::object status;
  status["resourceRules"] = std::move(resources);
  status["nonResourceRules"] = std::move(paths);
  status["incomplete"] = !errors.empty();
  if (!errors.empty()) status["evaluationError"] = joined_errors(errors);
  return status;
}

Reviews::Answer Reviews::token(const json::value& object) const {
  const std::string token = text(object, "spec.token");
  if (token.empty()) {
    return api::bad_request_error("token is required for TokenReview in authentication");
  }
  const std::vector<std::string> wanted = texts(get_array(object, "spec.audiences"));
  std::vector<std::string> audiences;
  std::optional<UserInfo> user;
  if (tokens_ != nullptr) {
    user = tokens_->check(m_.feed, m_.executor.wall_now(), token, wanted, &audiences);
  }
  if (!user) {
    user = authenticator_.by_token(token);
    // Tokens without an audience are for this server.
    const std::string own = tokens_ == nullptr ? "" : tokens_->issuer();
    const bool meant =
        wanted.empty() || std::find(wanted.begin(), wanted.end(), own) != wanted.end();
    if (!meant) user.reset();
    if (user && !own.empty()) audiences = {own};
  }
  json::object status;
  if (!user) {
    status["user"].emplace_object();
    status["error"] = "[invalid bearer token, token lookup failed]";
    return status;
  }
  status["authenticated"] = true;
  status["user"] = user_object(*user);
  if (!audiences.empty()) status["audiences"] = list_of(audiences);
  return status;
}

Reply Reviews::review(Context& c) {
  TRY_OUTCOME(Body body, parse_body(c.request, m_.catalog, c.resource->kind));
  TRY_OUTCOME(json::value object, decode_object(c, *c.resource, std::move(body)));
  const Outcome<Done> settled = settle_identity(c, object, false);
  if (!settled.ok()) return settled.error();
  json::object status;
  const std::string& kind = c.resource->kind;
  if (kind == "SelfSubjectReview") {
    status["userInfo"] = user_object(c.user);
  } else if (kind == "TokenReview") {
    TRY_OUTCOME(status, token(object));
  } else if (kind == "SelfSubjectRulesReview") {
    TRY_OUTCOME(status, rules(c, object));
  } else {
    TRY_OUTCOME(status, access(c, object));
  }
  json::object reply{{"kind", kind}, {"apiVersion", c.resource->api_version}};
  json::object metadata;
  if (c.resource->namespaced) metadata["namespace"] = c.info.ns;
  metadata["creationTimestamp"] = nullptr;
  reply["metadata"] = std::move(metadata);
  if (kind != "SelfSubjectReview") reply["spec"] = value_at(object, "spec");
  reply["status"] = std::move(status);
  net::Response response = reply_document(c.format, 201, json::value(std::move(reply)));
  return response;
}

}  // namespace coracle::apiserver::rbac
