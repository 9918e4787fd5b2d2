// config use-context, set-context, set-cluster, set-credentials, rename-context, delete-*, set,
// unset
#include <ostream>

#include "base/encoding.hpp"
#include "base/strings.hpp"
#include "commands/commands.hpp"
#include "kubectl/manifest.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;

Status save(client::Kubeconfig& file) {
  const Status status = file.save();
  return status.ok() ? status : fail(status.message());
}

Result<std::string> one_argument(Invocation& call) {
  if (call.args.size() != 1) {
    return usage_failure(call.command, "unexpected args: [" + join(call.args, " ") + "]");
  }
  return call.args[0];
}

Status use_context(Invocation& call) {
  ASSIGN_OR_RETURN(const std::string name, one_argument(call));
  ASSIGN_OR_RETURN(client::Kubeconfig * file, call.session.kubeconfig());
  if (!file->has("contexts", name)) return fail("no context exists with the name: " + quoted(name));
  if (Status status = file->use_context(name); !status.ok()) return fail(status.message());
  RETURN_IF_ERROR(save(*file));
  call.session.io.out << "Switched to context " << quoted(name) << ".\n";
  return {};
}

Status set_context(Invocation& call) {
  ASSIGN_OR_RETURN(client::Kubeconfig * file, call.session.kubeconfig());
  std::string name = call.args.empty() ? "" : call.args[0];
  if (call.flags.is_set("current")) {
    if (!name.empty()) {
      return fail("you cannot specify both a context name and --current");
    }
    name = file->current_context();
    if (name.empty()) return fail("no current context is set");
  }
  if (name.empty() || call.args.size() > 1) {
    return fail("you must specify a non-empty context name or --current");
  }
  const bool existed = file->has("contexts", name);
  json::object fields;
  for (const char* flag : {"cluster", "user", "namespace"}) {
    if (call.flags.has(flag)) {
      fields[flag] =
          call.flags.get(flag).empty() ? json::value() : json::value(call.flags.get(flag));
    }
  }
  file->set_entry("contexts", name, fields);
  RETURN_IF_ERROR(save(*file));
  call.session.io.out << "Context " << quoted(name) << (existed ? " modified.\n" : " created.\n");
  return {};
}

// A certificate or key: the path, or with --embed-certs its bytes.
Status add_file(Invocation& call, json::object& fields, const char* flag) {
  if (!call.flags.has(flag)) return {};
  const std::string path = call.flags.get(flag), data = std::string(flag) + "-data";
  if (!call.flags.is_set("embed-certs")) {
    fields[flag] = path.empty() ? json::value() : json::value(path);
    fields[data] = nullptr;
    return {};
  }
  auto text = read_file(path);
  if (!text.ok()) return fail("could not read " + std::string(flag) + " data from " + path);
  fields[data] = base64_encode(*text);
  fields[flag] = nullptr;
  return {};
}

Status set_cluster(Invocation& call) {
  ASSIGN_OR_RETURN(const std::string name, one_argument(call));
  ASSIGN_OR_RETURN(client::Kubeconfig * file, call.session.kubeconfig());
  json::object fields;
  for (const char* flag : {"server", "tls-server-name", "proxy-url"}) {
    if (call.flags.has(flag)) fields[flag] = call.flags.get(flag);
  }
  if (call.flags.has("insecure-skip-tls-verify")) {
    fields["insecure-skip-tls-verify"] = call.flags.is_set("insecure-skip-tls-verify");
  }
  RETURN_IF_ERROR(add_file(call, fields, "certificate-authority"));
  file->set_entry("clusters", name, fields);
  RETURN_IF_ERROR(save(*file));
  call.session.io.out << "Cluster " << quoted(name) << " set.\n";
  return {};
}

Status set_credentials(Invocation& call) {
  ASSIGN_OR_RETURN(const std::string name, one_argument(call));
  ASSIGN_OR_RETURN(client::Kubeconfig * file, call.session.kubeconfig());
  json::object fields;
  for (const char* flag : {"token", "username", "password"}) {
    if (call.flags.has(flag)) fields[flag] = call.flags.get(flag);
  }
  RETURN_IF_ERROR(add_file(call, fields, "client-certificate"));
  RETURN_IF_ERROR(add_file(call, fields, "client-key"));
  file->set_entry("users", name, fields);
  RETURN_IF_ERROR(save(*file));
  call.session.io.out << "User " << quoted(name) << " set.\n";
  return {};
}

Status rename_context(Invocation& call) {
  if (call.args.size() != 2) return usage_failure(call.command, "two context names are needed");
  ASSIGN_OR_RETURN(client::Kubeconfig * file, call.session.kubeconfig());
  const Status renamed = file->rename_context(call.args[0], call.args[1]);
  if (!renamed.ok()) return fail(renamed.message());
  RETURN_IF_ERROR(save(*file));
  call.session.io.out << "Context " << quoted(call.args[0]) << " renamed to "
                      << quoted(call.args[1]) << ".\n";
  return {};
}

Status delete_entry(Invocation& call, const char* section, const char* what) {
  ASSIGN_OR_RETURN(const std::string name, one_argument(call));
  ASSIGN_OR_RETURN(client::Kubeconfig * file, call.session.kubeconfig());
  const std::string path = file->default_path();
  const bool is_current = file->current_context() == name;
  if (!file->remove_entry(section, name)) {
    return fail("cannot delete " + std::string(what) + " " + name + ", not in " + path);
  }
  RETURN_IF_ERROR(save(*file));
  if (std::string_view(what) == "context" && is_current) {
    call.session.warn(
        "warning: this removed your active context, use \"kubectl config "
        "use-context\" to select a different one");
  }
  call.session.io.out << "deleted " << what << " " << name << " from " << path << "\n";
  return {};
}

Status set_property(Invocation& call) {
  if (call.args.size() != 2)
    return usage_failure(call.command, "unexpected args: [" + join(call.args, " ") + "]");
  ASSIGN_OR_RETURN(client::Kubeconfig * file, call.session.kubeconfig());
  std::string value = call.args[1];
  if (call.flags.is_set("set-raw-bytes")) value = base64_encode(value);
  if (Status status = file->set_property(call.args[0], value); !status.ok()) {
    return fail(status.message());
  }
  RETURN_IF_ERROR(save(*file));
  call.session.io.out << "Property " << quoted(call.args[0]) << " set.\n";
  return {};
}

Status unset_property(Invocation& call) {
  ASSIGN_OR_RETURN(const std::string name, one_argument(call));
  ASSIGN_OR_RETURN(client::Kubeconfig * file, call.session.kubeconfig());
  if (Status status = file->unset_property(name); !status.ok()) return fail(status.message());
  RETURN_IF_ERROR(save(*file));
  call.session.io.out << "Property " << quoted(name) << " unset.\n";
  return {};
}

Command deletion(const char* name, const char* section, const char* what) {
  return {.name = std::string("config ") + name,
          .usage = "NAME",
          .summary = std::string("Delete a ") + what + " from the kubeconfig",
          .run = [section, what](Invocation& call) { return delete_entry(call, section, what); }};
}

}  // namespace

std::vector<Command> config_edit_commands() {
  Command context{.name = "config set-context",
                  .usage = "[NAME | --current] [--namespace=NS]",
                  .summary = "Make or change a context",
                  .examples = "  kubectl config set-context --current --namespace=team-a\n",
                  .run = set_context};
  context.flags.push_back({"current", 0, FlagType::kBool, "false", "The context in use"});
  Command cluster{.name = "config set-cluster",
                  .usage = "NAME [--server=URL]",
                  .summary = "Make or change a cluster",
                  .run = set_cluster};
  cluster.flags.push_back({"embed-certs", 0, FlagType::kBool, "false", "Keep the file's bytes"});
  cluster.flags.push_back({"proxy-url", 0, FlagType::kString, "", "Kept for others"});
  Command credentials{.name = "config set-credentials",
                      .usage = "NAME [--token=T]",
                      .summary = "Make or change a user",
                      .run = set_credentials};
  credentials.flags.push_back({"embed-certs", 0, FlagType::kBool, "false", "Keep the bytes"});
  Command set{.name = "config set",
              .usage = "PROPERTY VALUE",
              .summary = "Set one value by its dotted name",
              .run = set_property};
  set.flags.push_back({"set-raw-bytes", 0, FlagType::kBool, "false", "Encode the value"});
  return {{.name = "config use-context",
           .usage = "NAME",
           .summary = "Switch to a context",
           .run = use_context,
           .aliases = {"use"}},
          context,
          cluster,
          credentials,
          set,
          {.name = "config unset",
           .usage = "PROPERTY",
           .summary = "Remove one value",
           .run = unset_property},
          {.name = "config rename-context",
           .usage = "OLD NEW",
           .summary = "Rename a context",
           .run = rename_context},
          deletion("delete-context", "contexts", "context"),
          deletion("delete-cluster", "clusters", "cluster"),
          deletion("delete-user", "users", "user")};
}

}  // namespace coracle::kubectl
