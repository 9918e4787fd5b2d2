// auth can-i, whoami
#include <algorithm>
#include <ostream>

#include "base/strings.hpp"
#include "commands/commands.hpp"
#include "kubectl/output.hpp"
#include "text/tabwriter.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;

constexpr const char* kAuthorization = "/apis/authorization.k8s.io/v1/";

json::value review(const char* kind, const char* api_version) {
  json::object out;
  out["apiVersion"] = api_version;
  out["kind"] = kind;
  out["spec"].emplace_object();
  return json::value(std::move(out));
}

std::string words(const json::value& rule, const char* field) {
  std::vector<std::string> parts;
  for (const json::value& word : get_array(rule, field)) parts.emplace_back(word.as_string());
  return "[" + join(parts, " ") + "]";
}

Status list_rules(Invocation& call) {
  json::value body = review("SelfSubjectRulesReview", "authorization.k8s.io/v1");
  set_path(body, "spec.namespace", json::value(call.session.namespace_name()));
  TRY_SERVER(const json::value answer,
             call.session.call_json("POST", std::string(kAuthorization) + "selfsubjectrulesreviews",
                                    &body));
  std::vector<std::vector<std::string>> rows;
  for (const json::value& rule : get_array(answer, "status.resourceRules")) {
    for (const json::value& group : get_array(rule, "apiGroups")) {
      for (const json::value& resource : get_array(rule, "resources")) {
        const std::string g(group.as_string());
        rows.push_back({std::string(resource.as_string()) + (g.empty() ? "" : "." + g), "[]",
                        words(rule, "resourceNames"), words(rule, "verbs")});
      }
    }
  }
  for (const json::value& rule : get_array(answer, "status.nonResourceRules")) {
    rows.push_back({"", words(rule, "nonResourceURLs"), "[]", words(rule, "verbs")});
  }
  if (!call.flags.is_set("no-headers")) {
    rows.insert(rows.begin(), {"Resources", "Non-Resource URLs", "Resource Names", "Verbs"});
  }
  text::ColumnPrinter printer;
  call.session.io.out << printer.print(rows);
  return {};
}

// What is asked: a path ("/healthz"), or a resource with a group, a subresource and a name.
Result<json::object> attributes(Invocation& call) {
  json::object out;
  out["verb"] = call.args[0];
  std::string text = call.args[1];
  if (text.front() == '/') {
    out["path"] = text;
    return out;
  }
  std::string name = call.args.size() > 2 ? call.args[2] : "";
  if (const size_t slash = text.find('/'); slash != text.npos) {
    name = text.substr(slash + 1);
    text = text.substr(0, slash);
  }
  std::string group = text == "*" ? "*" : "", plural = text;
  bool namespaced = true;
  if (text != "*") {
    ASSIGN_OR_RETURN(const Discovery* discovery, call.session.discovery());
    if (const Resource* resource = discovery->find(text)) {
      plural = resource->plural;
      group = resource->group;
      namespaced = resource->namespaced;
    } else {
      call.session.warn("Warning: the server doesn't have a resource type '" + text + "'");
    }
  }
  if (!namespaced && !call.flags.is_set("all-namespaces")) {
    call.session.warn("Warning: resource '" + plural + "' is not namespace scoped" +
                      (group.empty() ? "" : " in group '" + group + "'"));
  }
  if (namespaced && !call.flags.is_set("all-namespaces")) {
    out["namespace"] = call.session.namespace_name();
  }
  if (!group.empty()) out["group"] = group;
  out["resource"] = plural;
  if (!call.flags.get("subresource").empty()) out["subresource"] = call.flags.get("subresource");
  if (!name.empty()) out["name"] = name;
  return out;
}

Status can_i(Invocation& call) {
  if (call.flags.is_set("list")) return list_rules(call);
  if (call.args.size() < 2 || call.args.size() > 3) {
    return fail(
        "you must specify two arguments: verb resource or verb resource/resourceName.\n"
        "See 'kubectl auth can-i -h' for help and examples.");
  }
  ASSIGN_OR_RETURN(json::object asked, attributes(call));
  json::value body = review("SelfSubjectAccessReview", "authorization.k8s.io/v1");
  const bool path = asked.contains("path");
  set_path(body, path ? "spec.nonResourceAttributes" : "spec.resourceAttributes",
           json::value(std::move(asked)));
  TRY_SERVER(const json::value answer,
             call.session.call_json(
                 "POST", std::string(kAuthorization) + "selfsubjectaccessreviews", &body));
  const bool allowed = get_bool(answer, "status.allowed");
  if (!call.flags.is_set("quiet")) {
    std::string text = allowed ? "yes" : "no";
    const std::string reason(get_string(answer, "status.reason"));
    const std::string error(get_string(answer, "status.evaluationError"));
    if (!allowed && !reason.empty()) text += " - " + reason;
    if (!allowed && !error.empty()) text += " - " + error;
    call.session.io.out << text << "\n";
  }
  return allowed ? Status() : silent_failure();
}

Status whoami(Invocation& call) {
  json::value body = review("SelfSubjectReview", "authentication.k8s.io/v1");
  TRY_SERVER(
      const json::value answer,
      call.session.call_json("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", &body));
  ASSIGN_OR_RETURN(const OutputFormat format, output_format(call.flags));
  if (!format.is_table()) {
    ASSIGN_OR_RETURN(auto printer, make_printer(format));
    ASSIGN_OR_RETURN(const std::string text, printer->print(answer));
    call.session.io.out << text;
    return {};
  }
  const json::value info(get_object(answer, "status.userInfo"));
  std::vector<std::vector<std::string>> rows = {{"ATTRIBUTE", "VALUE"}};
  rows.push_back({"Username", std::string(get_string(info, "username"))});
  if (const std::string uid(get_string(info, "uid")); !uid.empty()) rows.push_back({"UID", uid});
  if (!get_array(info, "groups").empty()) rows.push_back({"Groups", words(info, "groups")});
  const json::object& extra = get_object(info, "extra");
  std::vector<std::string> names;
  for (const auto& [name, values] : extra) names.emplace_back(name);
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    json::object one;
    one["v"] = extra.at(name);
    rows.push_back({"Extra: " + name, words(json::value(std::move(one)), "v")});
  }
  text::ColumnPrinter printer;
  call.session.io.out << printer.print(rows);
  return {};
}

}  // namespace

std::vector<Command> auth_commands() {
  Command ask{.name = "auth can-i",
              .usage = "VERB (TYPE | TYPE/NAME | /PATH)",
              .summary = "Ask whether something is allowed",
              .examples = "  kubectl auth can-i create pods --as=kit\n",
              .run = can_i};
  for (text::FlagSpec flag : std::vector<text::FlagSpec>{
           {"list", 0, FlagType::kBool, "false", "List all that is allowed"},
           {"quiet", 'q', FlagType::kBool, "false", "Only the exit code"},
           {"no-headers", 0, FlagType::kBool, "false", "No line of headers"},
           {"subresource", 0, FlagType::kString, "", "status, log, ..."},
           {"all-namespaces", 'A', FlagType::kBool, "false", "In every namespace"}}) {
    ask.flags.push_back(std::move(flag));
  }
  return {{.name = "auth", .usage = "SUBCOMMAND", .summary = "Ask who you are and what you may"},
          ask,
          {.name = "auth whoami",
           .usage = "[-o FORMAT]",
           .summary = "Say who the server sees",
           .flags = output_flags(),
           .run = whoami}};
}

}  // namespace coracle::kubectl
