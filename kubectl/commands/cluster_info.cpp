// version, cluster-info
#include <unistd.h>

#include <ostream>

#include "api/object.hpp"
#include "base/strings.hpp"
#include "base/yaml.hpp"
#include "commands/commands.hpp"
#include "kubectl/output.hpp"
#include "live/terminal.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;

constexpr const char* kClientVersion = "v1.32.4";
constexpr const char* kKustomizeVersion = "v5.5.0";

json::value client_version() {
  json::object out;
  out["compiler"] = "clang";
  out["gitVersion"] = kClientVersion;
  out["major"] = "1";
  out["minor"] = "32";
  out["platform"] = "linux/amd64";
  return json::value(std::move(out));
}

Status run_version(Invocation& call) {
  json::object versions;
  versions["clientVersion"] = client_version();
  versions["kustomizeVersion"] = kKustomizeVersion;
  Status failure;
  if (!call.flags.is_set("client")) {
    auto answer = call.session.call_json("GET", "/version");
    if (answer.ok()) {
      versions["serverVersion"] = std::move(answer.value());
    } else {
      failure = server_failure(answer.error());
    }
  }
  const json::value all(std::move(versions));
  std::ostream& out = call.session.io.out;
  const std::string output = call.flags.get("output");
  if (output == "json") {
    out << to_pretty_json(all) << "\n";
  } else if (output == "yaml") {
    out << to_yaml(all);
  } else if (!output.empty()) {
    return fail("--output must be 'yaml' or 'json'");
  } else {
    out << "Client Version: " << kClientVersion << "\nKustomize Version: " << kKustomizeVersion
        << "\n";
    if (find(all, "serverVersion")) {
      out << "Server Version: " << get_string(all, "serverVersion.gitVersion") << "\n";
    }
  }
  return failure;
}

// As kubectl paints it where somebody looks on.
void print_place(std::ostream& out, const std::string& name, const std::string& link) {
  const bool painted = is_terminal(STDOUT_FILENO);
  const auto paint = [&](const char* code) { return painted ? code : ""; };
  out << paint("\x1b[0;32m") << name << paint("\x1b[0m") << " is running at " << paint("\x1b[0;33m")
      << link << paint("\x1b[0m") << "\n";
}

// The name as a proxy path has it: "https:web:main", "kube-dns:dns", "web".
std::string proxied_name(const json::value& service) {
  const std::string name(api::name_of(service));
  const json::array& ports = get_array(service, "spec.ports");
  if (ports.empty()) return name;
  const std::string port(get_string(ports[0], "name"));
  const bool secure = port == "https" || get_int(ports[0], "port") == 443;
  if (secure) return "https:" + name + ":" + port;
  return port.empty() ? name : name + ":" + port;
}

Status run_cluster_info(Invocation& call) {
  ASSIGN_OR_RETURN(const client::ClientConfig* config, call.session.config());
  ASSIGN_OR_RETURN(const Resource* services, call.session.resource("services"));
  TRY_SERVER(const json::value list,
             call.session.list(*services, "kube-system",
                               {{"labelSelector", "kubernetes.io/cluster-service=true"}}));
  std::ostream& out = call.session.io.out;
  const std::string server = config->servers.empty() ? "" : config->servers[0];
  print_place(out, "Kubernetes control plane", server);
  for (const json::value& service : get_array(list, "items")) {
    std::string name(api::label_of(service, "kubernetes.io/name"));
    if (name.empty()) name = api::name_of(service);
    print_place(out, name, server + services->path("kube-system", proxied_name(service), "proxy"));
  }
  out << "\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.\n";
  return {};
}

}  // namespace

Command version_command() {
  Command command{.name = "version",
                  .usage = "[--client] [-o yaml|json]",
                  .summary = "Print the versions of client and server",
                  .examples = "  kubectl version -o json\n",
                  .run = run_version};
  command.flags.push_back({"client", 0, FlagType::kBool, "false", "Ask no server"});
  command.flags.push_back({"output", 'o', FlagType::kString, "", "yaml or json"});
  return command;
}

Command cluster_info_command() {
  return {.name = "cluster-info",
          .usage = "",
          .summary = "Say where the cluster is",
          .examples = "  kubectl cluster-info\n",
          .run = run_cluster_info};
}

}  // namespace coracle::kubectl
