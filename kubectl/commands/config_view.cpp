// config view, get-contexts, get-clusters, get-users, current-context
#include <ostream>

#include "base/strings.hpp"
#include "commands/commands.hpp"
#include "kubectl/output.hpp"
#include "text/tabwriter.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;

Status view(Invocation& call) {
  ASSIGN_OR_RETURN(client::Kubeconfig * file, call.session.kubeconfig());
  json::value shown = call.flags.is_set("raw") ? file->merged() : file->redacted();
  const std::string context = call.flags.get("context");
  if (call.flags.is_set("minify")) {
    auto small = file->minified(context);
    if (!small.ok()) return fail(small.status().message());
    if (!call.flags.is_set("raw")) {
      ASSIGN_OR_RETURN(const client::Kubeconfig parsed, client::Kubeconfig::parse(to_json(*small)));
      shown = parsed.redacted();
    } else {
      shown = *small;
    }
  }
  if (call.flags.is_set("flatten")) {
    auto flat = file->flattened();
    if (!flat.ok()) return fail(flat.status().message());
    if (call.flags.is_set("raw")) {
      shown = *flat;
    } else {
      ASSIGN_OR_RETURN(const client::Kubeconfig parsed, client::Kubeconfig::parse(to_json(*flat)));
      shown = parsed.redacted();
    }
  }
  ASSIGN_OR_RETURN(OutputFormat format, output_format(call.flags));
  if (format.is_table()) format.name = "yaml";
  ASSIGN_OR_RETURN(auto printer, make_printer(format));
  ASSIGN_OR_RETURN(const std::string text, printer->print(shown));
  call.session.io.out << text;
  return {};
}

Status get_contexts(Invocation& call) {
  ASSIGN_OR_RETURN(client::Kubeconfig * file, call.session.kubeconfig());
  std::vector<std::string> names = file->names("contexts");
  if (!call.args.empty()) {
    for (const std::string& name : call.args) {
      if (!file->has("contexts", name)) return fail("context " + name + " not found");
    }
    names = call.args;
  }
  if (call.flags.get("output") == "name") {
    for (const std::string& name : names) call.session.io.out << name << "\n";
    return {};
  }
  std::vector<std::vector<std::string>> rows;
  if (!call.flags.is_set("no-headers")) {
    rows.push_back({"CURRENT", "NAME", "CLUSTER", "AUTHINFO", "NAMESPACE"});
  }
  const std::string current = file->current_context();
  for (const std::string& name : names) {
    const json::object* context = file->entry("contexts", name);
    const json::value whole = context ? json::value(*context) : json::value();
    rows.push_back({name == current ? "*" : "", name, std::string(get_string(whole, "cluster")),
                    std::string(get_string(whole, "user")),
                    std::string(get_string(whole, "namespace"))});
  }
  text::ColumnPrinter printer;
  call.session.io.out << printer.print(rows);
  return {};
}

Status list_names(Invocation& call, const char* section, const char* header) {
  ASSIGN_OR_RETURN(client::Kubeconfig * file, call.session.kubeconfig());
  if (header) call.session.io.out << header << "\n";
  for (const std::string& name : file->names(section)) call.session.io.out << name << "\n";
  return {};
}

Status current_context(Invocation& call) {
  ASSIGN_OR_RETURN(client::Kubeconfig * file, call.session.kubeconfig());
  if (file->current_context().empty()) return fail("current-context is not set");
  call.session.io.out << file->current_context() << "\n";
  return {};
}

}  // namespace

std::vector<Command> config_view_commands() {
  Command view_command{.name = "config view",
                       .usage = "[flags]",
                       .summary = "Print the merged kubeconfig, secrets blotted out",
                       .examples = "  kubectl config view --minify\n",
                       .flags = output_flags(),
                       .run = view};
  view_command.flags.push_back({"raw", 0, FlagType::kBool, "false", "With secrets"});
  view_command.flags.push_back({"minify", 0, FlagType::kBool, "false", "The current context only"});
  view_command.flags.push_back({"flatten", 0, FlagType::kBool, "false", "Files become data"});
  view_command.flags.push_back({"merge", 0, FlagType::kBool, "true", "Accepted, not used", "true"});
  Command contexts{.name = "config get-contexts",
                   .usage = "[NAME ...]",
                   .summary = "List contexts",
                   .run = get_contexts};
  contexts.flags.push_back({"output", 'o', FlagType::kString, "", "name"});
  contexts.flags.push_back({"no-headers", 0, FlagType::kBool, "false", "No line of headers"});
  return {{.name = "config", .usage = "SUBCOMMAND", .summary = "Look at and change kubeconfigs"},
          view_command,
          contexts,
          {.name = "config get-clusters",
           .usage = "",
           .summary = "List clusters",
           .run = [](Invocation& call) { return list_names(call, "clusters", "NAME"); }},
          {.name = "config get-users",
           .usage = "",
           .summary = "List users",
           .run = [](Invocation& call) { return list_names(call, "users", "NAME"); }},
          {.name = "config current-context",
           .usage = "",
           .summary = "Print the context in use",
           .run = current_context}};
}

}  // namespace coracle::kubectl
