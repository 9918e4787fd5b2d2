// create namespace, serviceaccount, token
#include <ostream>

#include "base/strings.hpp"
#include "commands/commands.hpp"
#include "commands/create.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;

Status create_namespace(Invocation& call) {
  ASSIGN_OR_RETURN(const std::string name, exact_name(call));
  json::value object = new_object("v1", "Namespace", name);
  make_object(object, "spec");
  make_object(object, "status");
  return create_object(call, std::move(object), "");
}

Status create_service_account(Invocation& call) {
  ASSIGN_OR_RETURN(const std::string name, exact_name(call));
  return create_object(call, new_object("v1", "ServiceAccount", name),
                       "failed to create serviceaccount");
}

Status create_token(Invocation& call) {
  ASSIGN_OR_RETURN(const std::string name, exact_name(call));
  ASSIGN_OR_RETURN(const Resource* accounts, call.session.resource("serviceaccounts"));
  json::value request = json::object();
  request.as_object()["apiVersion"] = "authentication.k8s.io/v1";
  request.as_object()["kind"] = "TokenRequest";
  json::object& spec = make_object(request, "spec");
  json::array audiences;
  for (const std::string& audience : call.flags.list("audience")) audiences.emplace_back(audience);
  spec["audiences"] = audiences.empty() ? json::value() : json::value(std::move(audiences));
  if (call.flags.has("duration")) {
    spec["expirationSeconds"] =
        std::chrono::duration_cast<std::chrono::seconds>(call.flags.get_duration("duration"))
            .count();
  }
  const std::string target = accounts->path(call.session.namespace_name(), name, "token");
  auto answer = call.session.call_json("POST", target, &request);
  if (!answer.ok()) {
    if (answer.error().no_answer()) return server_failure(answer.error());
    return fail("failed to create token: " + answer.error().message);
  }
  const std::string token(get_string(answer.value(), "status.token"));
  if (token.empty()) return fail("failed to create token: no token in server response");
  call.session.io.out << token << "\n";
  return {};
}

}  // namespace

std::vector<Command> create_small_commands() {
  Command token{.name = "create token",
                .usage = "SERVICE_ACCOUNT_NAME",
                .summary = "Ask for a token of a service account",
                .examples = "  kubectl create token robot --duration=10m\n",
                .run = create_token};
  token.flags.push_back({"duration", 0, FlagType::kDuration, "0s", "How long it is good"});
  token.flags.push_back({"audience", 0, FlagType::kList, "", "Whom it is for"});
  return {
      {.name = "create namespace",
       .usage = "NAME",
       .summary = "Create a namespace",
       .examples = "  kubectl create namespace team-a\n",
       .flags = create_flags(),
       .run = create_namespace,
       .aliases = {"ns"}},
      {.name = "create serviceaccount",
       .usage = "NAME",
       .summary = "Create a service account",
       .examples = "  kubectl create serviceaccount robot\n",
       .flags = create_flags(),
       .run = create_service_account,
       .aliases = {"sa"}},
      token,
  };
}

}  // namespace coracle::kubectl
