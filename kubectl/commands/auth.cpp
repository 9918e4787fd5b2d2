// auth can-i, whoami, reconcile
#include <algorithm>
#include <ostream>

#include "base/strings.hpp"
#include "commands/commands.hpp"
#include "kubectl/manifest.hpp"
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

// A line of --list: one resource, or one path.
struct Line {
  std::string group, resource, names, path;
  std::vector<std::string> verbs;

  std::string verbs_text() const { return "[" + join(verbs, " ") + "]"; }
  // kubectl sorts by its text for the whole rule.
  std::string order() const {
    return verbs_text() + ",[" + group + "],[" + resource + "]," + names + ",[" + path + "]";
  }
};

std::vector<std::string> strings(const json::value& rule, const char* field) {
  std::vector<std::string> out;
  for (const json::value& word : get_array(rule, field)) out.emplace_back(word.as_string());
  return out;
}

// Rules about one resource are one line with the verbs of all.
void add_line(std::vector<Line>& lines, Line line) {
  for (Line& known : lines) {
    if (!line.path.empty() || known.group != line.group || known.resource != line.resource ||
        known.names != line.names || !known.path.empty()) {
      continue;
    }
    for (const std::string& verb : line.verbs) {
      if (std::find(known.verbs.begin(), known.verbs.end(), verb) == known.verbs.end()) {
        known.verbs.push_back(verb);
      }
    }
    return;
  }
  lines.push_back(std::move(line));
}

Status list_rules(Invocation& call) {
  json::value body = review("SelfSubjectRulesReview", "authorization.k8s.io/v1");
  set_path(body, "spec.namespace", json::value(call.session.namespace_name()));
  TRY_SERVER(const json::value answer,
             call.session.call_json("POST", std::string(kAuthorization) + "selfsubjectrulesreviews",
                                    &body));
  std::vector<Line> lines;
  for (const json::value& rule : get_array(answer, "status.resourceRules")) {
    for (const std::string& group : strings(rule, "apiGroups")) {
      for (const std::string& resource : strings(rule, "resources")) {
        add_line(lines,
                 {group, resource, words(rule, "resourceNames"), "", strings(rule, "verbs")});
      }
    }
  }
  for (const json::value& rule : get_array(answer, "status.nonResourceRules")) {
    for (const std::string& path : strings(rule, "nonResourceURLs")) {
      add_line(lines, {"", "", "[]", path, strings(rule, "verbs")});
    }
  }
  std::stable_sort(lines.begin(), lines.end(),
                   [](const Line& a, const Line& b) { return a.order() < b.order(); });
  std::vector<std::vector<std::string>> rows;
  if (!call.flags.is_set("no-headers")) {
    rows.push_back({"Resources", "Non-Resource URLs", "Resource Names", "Verbs"});
  }
  for (const Line& line : lines) {
    const std::string name = line.resource + (line.group.empty() ? "" : "." + line.group);
    rows.push_back({name, "[" + line.path + "]", line.names, line.verbs_text()});
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
    if (!call.flags.get("subresource").empty()) {
      return fail("--subresource can not be used with NonResourceURL");
    }
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

// The entries of `wanted` that `have` lacks, put behind; whether there were any.
bool add_missing(json::array& have, const json::array& wanted) {
  bool added = false;
  for (const json::value& entry : wanted) {
    if (std::find(have.begin(), have.end(), entry) != have.end()) continue;
    have.push_back(entry);
    added = true;
  }
  return added;
}

// Makes one role or binding, or adds the rules or subjects it lacks. What it has more, stays.
Status reconcile_one(Invocation& call, const json::value& wanted) {
  const std::string kind(get_string(wanted, "kind")), name(get_string(wanted, "metadata.name"));
  const std::string ns(get_string(wanted, "metadata.namespace"));
  if (!get_string(wanted, "apiVersion").starts_with("rbac.authorization.k8s.io/")) return {};
  const bool cluster = kind.starts_with("Cluster");
  // As the original: it looks for the object's own namespace, which must be named in the file.
  if (!cluster && ns.empty()) return fail("resource name may not be empty");
  ASSIGN_OR_RETURN(const Resource* resource, call.session.resource(to_lower(kind) + "s"));
  const std::string list = kind.ends_with("Binding") ? "subjects" : "rules";
  const Answer there = call.session.get(*resource, ns, name);
  if (!there.ok() && !there.error().is_not_found()) return server_failure(there.error());
  if (!there.ok()) {
    TRY_SERVER(const json::value made, call.session.create(*resource, ns, wanted));
    (void)made;
  } else {
    json::array all = get_array(there.value(), list);
    if (add_missing(all, get_array(wanted, list))) {
      json::value next = there.value();
      next.as_object()[list] = std::move(all);
      TRY_SERVER(const json::value put,
                 call.session.call_json("PUT", resource->path(ns, name), &next));
      (void)put;
    }
  }
  call.session.io.out << to_lower(kind) << ".rbac.authorization.k8s.io/" << name << " reconciled\n";
  return {};
}

Status reconcile(Invocation& call) {
  const ManifestOptions options{.filenames = call.flags.list("filename"),
                                .kustomize = call.flags.get("kustomize")};
  if (options.empty()) return fail("must specify one of -f and -k");
  const Manifests read = read_manifests(options, call.session.io.in);
  if (!read.failures.empty()) return read.failures.front();
  for (const ManifestObject& entry : read.objects) {
    RETURN_IF_ERROR(reconcile_one(call, entry.object));
  }
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
          {.name = "auth reconcile",
           .usage = "-f FILENAME",
           .summary = "Add what roles and bindings lack of those in a file",
           .examples = "  kubectl auth reconcile -f roles.yaml\n",
           .flags = {{"filename", 'f', FlagType::kArray, "", "File, directory or - (stdin)"},
                     {"kustomize", 'k', FlagType::kString, "", "A directory with a kustomization"}},
           .run = reconcile},
          {.name = "auth whoami",
           .usage = "[-o FORMAT]",
           .summary = "Say who the server sees",
           .flags = output_flags(),
           .run = whoami}};
}

}  // namespace coracle::kubectl
