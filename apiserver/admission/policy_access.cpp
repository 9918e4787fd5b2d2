#include "apiserver/admission/policy_access.hpp"

#include "base/strings.hpp"

namespace coracle::apiserver {

namespace cel = api::cel;

namespace {

UserInfo account_user(const cel::AccessQuestion& question) {
  UserInfo user;
  const std::string accounts = "system:serviceaccounts";
  user.name = "system:serviceaccount:" + question.account_namespace + ":" + question.account;
  user.groups = {accounts, accounts + ":" + question.account_namespace};
  return user;
}

// What a field selector narrows the question to; others do not matter to who decides.
void narrow(std::string_view selector, RequestInfo& asked) {
  for (const std::string& term : split(selector, ',')) {
    const std::size_t equals = term.find('=');
    if (equals == std::string::npos || term.find('!') != std::string::npos) continue;
    const std::string value = term.substr(term.find_last_of('=') + 1);
    if (term.substr(0, equals) == "metadata.name") asked.selected_name = value;
    if (term.substr(0, equals) == "spec.nodeName") asked.selected_node = value;
  }
}

}  // namespace

cel::AccessAnswer PolicyAccess::ask(const cel::AccessQuestion& question) const {
  if (a_.m.authorizer == nullptr) return {};
  RequestInfo asked;
  asked.verb = question.verb;
  if (!question.path.empty()) {
    asked.path = question.path;
  } else {
    asked.is_resource = true;
    asked.group = question.group;
    asked.version = "*";
    asked.resource = question.resource;
    asked.subresource = question.subresource;
    asked.ns = question.ns;
    asked.name = question.name;
    narrow(question.field_selector, asked);
  }
  const Decision decision =
      a_.m.authorizer->decide(question.account.empty() ? a_.c.user : account_user(question), asked);
  return {decision.allowed, decision.reason, ""};
}

cel::Value PolicyAccess::variable(const api::ResourceInfo& as) const {
  cel::AccessQuestion request;
  request.group = as.group;
  request.resource = as.plural;
  request.subresource = a_.c.info.subresource;
  request.ns = a_.c.info.ns;
  request.name = a_.c.info.name;
  return cel::authorizer_value(*this, std::move(request));
}

}  // namespace coracle::apiserver
