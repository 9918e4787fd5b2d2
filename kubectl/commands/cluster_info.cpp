// version, cluster-info
#include <ostream>

#include "api/object.hpp"
#include "base/strings.hpp"
#include "base/yaml.hpp"
#include "commands/commands.hpp"
#include "kubectl/output.hpp"

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

Status run_cluster_info(Invocation& call) {
  ASSIGN_OR_RETURN(const client::ClientConfig* config, call.session.config());
  ASSIGN_OR_RETURN(const Resource* services, call.session.resource("services"));
  TRY_SERVER(const json::value list,
             call.session.list(*services, "kube-system",
                               {{"labelSelector", "kubernetes.io/cluster-service=true"}}));
  std::ostream& out = call.session.io.out;
  const std::string server = config->servers.empty() ? "" : config->servers[0];
  out << "\x1b[0;32mKubernetes control plane\x1b[0m is running at \x1b[0;33m" << server
      << "\x1b[0m\n";
  for (const json::value& service : get_array(list, "items")) {
    std::string name(api::label_of(service, "kubernetes.io/name"));
    if (name.empty()) name = api::name_of(service);
    out << "\x1b[0;32m" << name << "\x1b[0m is running at \x1b[0;33m" << server
        << services->path("kube-system", std::string(api::name_of(service)), "proxy")
        << "\x1b[0m\n";
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
