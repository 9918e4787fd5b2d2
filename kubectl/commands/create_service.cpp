// create service clusterip, nodeport, loadbalancer, externalname
#include "base/strings.hpp"
#include "commands/commands.hpp"
#include "commands/create.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;

// "5678:8080" -> port and target; "80" means both; the target may be a name
Result<json::value> service_port(const std::string& spec, std::int64_t node_port) {
  const auto parts = split(spec, ':');
  long long port = 0;
  if (parts.empty() || parts.size() > 2 || !parse_int(parts[0], &port) || port < 0 ||
      port > 65535) {
    return fail("invalid port specification " + spec);
  }
  const std::string target = parts.size() == 2 ? parts[1] : parts[0];
  json::object out;
  out["name"] = replace_all(spec, ":", "-");
  out["port"] = port;
  out["protocol"] = "TCP";
  long long number = 0;
  if (parse_int(target, &number)) {
    out["targetPort"] = number;
  } else {
    out["targetPort"] = target;
  }
  if (node_port > 0) out["nodePort"] = node_port;
  return json::value(std::move(out));
}

Status create_service(Invocation& call, const std::string& type, const std::string& label) {
  ASSIGN_OR_RETURN(const std::string name, exact_name(call));
  const auto tcp = call.flags.list("tcp");
  const std::string cluster_ip = call.flags.get("clusterip");
  if (tcp.empty() && type != "ExternalName" && cluster_ip != "None") {
    return fail("at least one tcp port specifier must be provided");
  }
  if (type == "ExternalName" && call.flags.get("external-name").empty()) {
    return fail("required flag(s) \"external-name\" not set");
  }
  json::array ports;
  for (const std::string& spec : tcp) {
    ASSIGN_OR_RETURN(json::value port, service_port(spec, call.flags.get_int("node-port")));
    ports.push_back(std::move(port));
  }
  json::value object = new_object("v1", "Service", name);
  set_path(object, "metadata.labels.app", json::value(name));
  json::object& spec = make_object(object, "spec");
  if (!ports.empty()) spec["ports"] = std::move(ports);
  if (!cluster_ip.empty()) spec["clusterIP"] = cluster_ip;
  if (type == "ExternalName") spec["externalName"] = call.flags.get("external-name");
  spec["type"] = type;
  set_path(object, "spec.selector.app", json::value(name));
  make_object(object, "status.loadBalancer");
  return create_object(call, std::move(object), "failed to create " + label + " service");
}

Command service_command(const char* name, const char* type, const char* label,
                        const char* example) {
  Command out{.name = std::string("create service ") + name,
              .usage = "NAME [--tcp=PORT:TARGET]",
              .summary = std::string("Create a service of type ") + type,
              .examples = std::string("  kubectl create service ") + example + "\n",
              .flags = create_flags()};
  out.flags.push_back({"tcp", 0, FlagType::kList, "", "port or port:target; may be repeated"});
  const std::string type_name = type, label_name = label;
  out.run = [type_name, label_name](Invocation& call) {
    return create_service(call, type_name, label_name);
  };
  return out;
}

}  // namespace

std::vector<Command> create_service_commands() {
  Command group{.name = "create service",
                .usage = "(clusterip | nodeport | loadbalancer | externalname)",
                .summary = "Create a service by a subcommand",
                .aliases = {"svc"}};
  Command cluster =
      service_command("clusterip", "ClusterIP", "ClusterIP", "clusterip web --tcp=80");
  cluster.flags.push_back({"clusterip", 0, FlagType::kString, "", "An address, or None"});
  Command node = service_command("nodeport", "NodePort", "NodePort", "nodeport web --tcp=80");
  node.flags.push_back({"node-port", 0, FlagType::kInt, "0", "The nodes' port"});
  Command balancer =
      service_command("loadbalancer", "LoadBalancer", "LoadBalancer", "loadbalancer web --tcp=80");
  Command external = service_command("externalname", "ExternalName", "ExternalName",
                                     "externalname db --external-name=db.example.com");
  external.flags.push_back({"external-name", 0, FlagType::kString, "", "The name to point to"});
  return {group, cluster, node, balancer, external};
}

}  // namespace coracle::kubectl
