// port-forward
#include <ostream>

#include "api/object.hpp"
#include "base/strings.hpp"
#include "commands/commands.hpp"
#include "commands/pod_target.hpp"
#include "commands/streaming.hpp"
#include "kubectl/target.hpp"
#include "live/port_forwarder.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;

struct PortWords {
  std::string local, remote;  // local "": a free one
};

Result<PortWords> split_port(const std::string& word) {
  const std::vector<std::string> parts = split(word, ':');
  if (parts.size() == 1) return PortWords{parts[0], parts[0]};
  if (parts.size() == 2) return PortWords{parts[0], parts[1]};
  return fail("invalid port format '" + word + "'");
}

// A number, or the name of a container's port.
Result<std::uint16_t> container_port(const json::value& pod, const std::string& text) {
  long long number = 0;
  if (parse_int(text, &number)) {
    if (number < 1 || number > 65535) {
      return fail("error parsing remote port " + text + ": invalid port number");
    }
    return static_cast<std::uint16_t>(number);
  }
  for (const char* list : {"spec.containers", "spec.initContainers"}) {
    for (const json::value& container : get_array(pod, list)) {
      for (const json::value& port : get_array(container, "ports")) {
        if (get_string(port, "name") == text) {
          return static_cast<std::uint16_t>(get_int(port, "containerPort"));
        }
      }
    }
  }
  return fail("Pod '" + std::string(api::name_of(pod)) + "' does not have a named port '" + text +
              "'");
}

// The port of the pod that a port of the service, by number or name, leads to.
Result<std::string> target_port(const json::value& service, const std::string& text) {
  for (const json::value& port : get_array(service, "spec.ports")) {
    const std::string number = std::to_string(get_int(port, "port"));
    if (number != text && get_string(port, "name") != text) continue;
    const json::value* target = find(port, "targetPort");
    if (get_string(service, "spec.clusterIP") == "None" || target == nullptr) return number;
    if (target->is_string()) return std::string(target->get_string());
    return std::to_string(target->to_number<std::int64_t>());
  }
  return fail("Service " + std::string(api::name_of(service)) + " does not have a service port " +
              text);
}

Result<ForwardedPort> forwarded_port(const json::value& pod, const json::value* service,
                                     const std::string& word) {
  ASSIGN_OR_RETURN(PortWords words, split_port(word));
  std::string wanted = words.remote;
  if (service != nullptr) {
    ASSIGN_OR_RETURN(wanted, target_port(*service, words.remote));
  }
  ForwardedPort port;
  ASSIGN_OR_RETURN(port.remote, container_port(pod, wanted));
  long long local = 0;
  if (words.local == words.remote && !parse_int(words.local, &local)) {
    local = port.remote;  // a name stands for the number on both sides
  } else if (!words.local.empty() && !parse_int(words.local, &local)) {
    return fail("error parsing local port '" + words.local + "': invalid port number");
  }
  if (local < 0 || local > 65535) return fail("invalid local port " + words.local);
  port.local = static_cast<std::uint16_t>(local);
  return port;
}

Status run_port_forward(Invocation& call) {
  if (call.args.size() < 2) {
    return usage_failure("port-forward",
                         "TYPE/NAME and list of ports are required for port-forward");
  }
  Session& session = call.session;
  const std::string& word = call.args[0];
  ASSIGN_OR_RETURN(const json::value pod, pod_of(session, word));
  const std::string phase(get_string(pod, "status.phase"));
  if (phase != "Running") {
    return fail("unable to forward port because pod is not running. Current status=" + phase);
  }
  json::value service;
  if (word.find('/') != word.npos) {
    TargetOptions options;
    options.args = {word};
    ASSIGN_OR_RETURN(Target target, only_target(session, options));
    if (target.resource.kind == "Service") service = std::move(target.object);
  }
  std::vector<ForwardedPort> ports;
  for (std::size_t i = 1; i < call.args.size(); ++i) {
    ASSIGN_OR_RETURN(ForwardedPort port,
                     forwarded_port(pod, service.is_null() ? nullptr : &service, call.args[i]));
    ports.push_back(port);
  }
  ASSIGN_OR_RETURN(const auto link, make_link(session));
  PortForwarder::Voice voice;
  voice.say = [&session](const std::string& line) { session.io.out << line << std::endl; };
  voice.warn = [&session](const std::string& line) { session.warn(line); };
  const auto forwarder = std::make_shared<PortForwarder>(*link, std::move(voice));
  const std::string target = "/api/v1/namespaces/" + std::string(api::namespace_of(pod)) +
                             "/pods/" + std::string(api::name_of(pod)) + "/portforward";
  if (const auto refused = forwarder->connect(target)) return server_failure(*refused);
  std::vector<std::string> addresses = call.flags.list("address");
  if (addresses.empty()) addresses = {"localhost"};
  const Status listening = forwarder->listen(addresses, ports);
  if (listening.ok()) link->executor().run_until([&] { return forwarder->lost(); });
  forwarder->close();
  return listening.ok() ? fail("lost connection to pod") : listening;
}

}  // namespace

Command port_forward_command() {
  return {
      .name = "port-forward",
      .usage = "TYPE/NAME [LOCAL_PORT:]REMOTE_PORT [...]",
      .summary = "Carry local ports to a pod",
      .examples = "  kubectl port-forward pod/web 8080:80\n  kubectl port-forward svc/web :http\n",
      .flags = {{"address", 0, FlagType::kList, "localhost", "Addresses to listen on"},
                {"pod-running-timeout", 0, FlagType::kDuration, "1m0s", "Accepted, not used"}},
      .run = run_port_forward};
}

}  // namespace coracle::kubectl
