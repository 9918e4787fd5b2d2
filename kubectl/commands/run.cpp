// run, expose
#include <algorithm>

#include "api/object.hpp"
#include "api/patch.hpp"
#include "base/strings.hpp"
#include "base/yaml.hpp"
#include "commands/commands.hpp"
#include "commands/create.hpp"
#include "commands/pod_parts.hpp"
#include "commands/run_attach.hpp"
#include "kubectl/target.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;

// --overrides: merged into the new object.
Result<json::value> with_overrides(Invocation& call, json::value object) {
  const std::string text = call.flags.get("overrides");
  if (text.empty()) return object;
  auto parsed = parse_yaml_one(text);
  if (!parsed.ok() || !parsed->is_object()) return fail("invalid configuration: " + text);
  return api::apply_merge_patch(std::move(object), *parsed);
}

Result<json::object> run_container(Invocation& call, const std::string& name) {
  json::object container;
  container["name"] = name;
  container["image"] = call.flags.get("image");
  container["resources"].emplace_object();
  if (call.flags.is_set("stdin")) {
    container["stdin"] = true;
    if (!call.flags.is_set("leave-stdin-open")) container["stdinOnce"] = true;
  }
  if (call.flags.is_set("tty")) container["tty"] = true;
  if (const std::string policy = call.flags.get("image-pull-policy"); !policy.empty()) {
    container["imagePullPolicy"] = policy;
  }
  const std::vector<std::string> words(call.args.begin() + 1, call.args.end());
  if (!words.empty()) {
    container[call.flags.is_set("command") ? "command" : "args"] = string_array(words);
  }
  if (const auto env = call.flags.list("env"); !env.empty()) {
    ASSIGN_OR_RETURN(json::array variables, parse_env(env));
    container["env"] = std::move(variables);
  }
  if (call.flags.has("port")) {
    long long number = 0;
    if (!parse_int(call.flags.get("port"), &number)) {
      return fail("strconv.ParseInt: parsing " + quoted(call.flags.get("port")) +
                  ": invalid syntax");
    }
    json::object port;
    port["containerPort"] = number;
    json::array ports;
    ports.push_back(std::move(port));
    container["ports"] = std::move(ports);
  }
  return container;
}

bool in_set(std::string_view text, std::string_view extra, bool upper) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (upper && c >= 'A' && c <= 'Z') ||
           extra.find(c) != extra.npos;
  });
}

// As the registries' grammar of references, of which this knows the shape: [HOST[:PORT]/]PATH with
// small letters, then :TAG and @DIGEST.
bool is_image(std::string image) {
  if (const size_t at = image.find('@'); at != image.npos) {
    const std::string digest = image.substr(at + 1);
    if (digest.find(':') == digest.npos || !in_set(digest, ":+._-", true)) return false;
    image.resize(at);
  }
  const size_t colon = image.rfind(':');
  if (colon != image.npos && image.find('/', colon) == image.npos) {
    const std::string tag = image.substr(colon + 1);
    if (tag.size() > 128 || !in_set(tag, "._-", true) || tag[0] == '.' || tag[0] == '-') {
      return false;
    }
    image.resize(colon);
  }
  const auto parts = split(image, '/');
  for (size_t i = 0; i < parts.size(); ++i) {
    const bool host = i == 0 && parts.size() > 1;
    if (!in_set(parts[i], host ? "._-:[]" : "._-", host)) return false;
    const auto is_edge = [](char c) { return c == '.' || c == '-' || c == '_'; };
    if (is_edge(parts[i].front()) || is_edge(parts[i].back())) return false;
  }
  return !parts.empty();
}

Status check_run(Invocation& call) {
  if (call.args.empty()) return usage_failure("run", "NAME is required for run");
  if (call.flags.get("image").empty()) {
    return fail(call.flags.has("image") ? "--image is required"
                                        : "required flag(s) \"image\" not set");
  }
  if (!is_image(call.flags.get("image"))) {
    return fail("Invalid image name " + quoted(call.flags.get("image")) +
                ": invalid reference format");
  }
  RETURN_IF_ERROR(check_attached_run(call));
  const std::string restart = call.flags.get("restart");
  if (restart != "Always" && restart != "OnFailure" && restart != "Never") {
    return fail("invalid restart policy: " + restart +
                "\nSee 'kubectl run -h' for help and "
                "examples");
  }
  return {};
}

Result<json::value> service_of(const json::value& object, const std::string& name,
                               std::int64_t port) {
  json::value service = new_object("v1", "Service", name);
  json::object entry;
  entry["port"] = port;
  entry["protocol"] = "TCP";
  entry["targetPort"] = port;
  json::array ports;
  ports.push_back(std::move(entry));
  set_path(service, "spec.ports", json::value(std::move(ports)));
  set_path(service, "spec.selector", json::value(api::labels_of(object)));
  make_object(service, "status.loadBalancer");
  return service;
}

Status run_run(Invocation& call) {
  RETURN_IF_ERROR(check_run(call));
  const std::string name = call.args[0];
  json::value pod = new_object("v1", "Pod", name);
  if (call.flags.has("labels")) {
    ASSIGN_OR_RETURN(json::object labels, parse_labels(call.flags.list("labels")));
    set_path(pod, "metadata.labels", json::value(std::move(labels)));
  } else {
    set_path(pod, "metadata.labels.run", json::value(name));
  }
  for (const std::string& pair : call.flags.list("annotations")) {
    const size_t equals = pair.find('=');
    if (equals == pair.npos) return fail("unexpected annotation spec: " + pair);
    api::set_annotation(pod, pair.substr(0, equals), pair.substr(equals + 1));
  }
  ASSIGN_OR_RETURN(json::object container, run_container(call, name));
  json::array containers;
  containers.push_back(std::move(container));
  set_path(pod, "spec.containers", json::value(std::move(containers)));
  if (const std::string account = call.flags.get("serviceaccount"); !account.empty()) {
    set_path(pod, "spec.serviceAccountName", json::value(account));
  }
  if (call.flags.is_set("privileged")) {
    json::object& spec = make_object(pod, "spec");
    set_path(spec["containers"].as_array()[0], "securityContext.privileged", json::value(true));
  }
  set_path(pod, "spec.dnsPolicy", json::value("ClusterFirst"));
  set_path(pod, "spec.restartPolicy", json::value(call.flags.get("restart")));
  make_object(pod, "status");
  ASSIGN_OR_RETURN(pod, with_overrides(call, std::move(pod)));
  ASSIGN_OR_RETURN(WriteReport report, WriteReport::make(call));
  if (call.flags.is_set("expose")) {
    if (!call.flags.has("port")) return fail("--port must be set when exposing a service");
    ASSIGN_OR_RETURN(json::value service, service_of(pod, name, call.flags.get_int("port")));
    RETURN_IF_ERROR(create_object(call, report, std::move(service), ""));
  }
  if (!is_attached_run(call)) return create_object(call, report, std::move(pod), "");
  ASSIGN_OR_RETURN(const Resource* pods, call.session.resource("pods"));
  const std::string given(api::namespace_of(pod));
  const std::string ns = given.empty() ? call.session.namespace_name() : given;
  const std::string made(api::name_of(pod));
  TRY_SERVER(const json::value created, call.session.create(*pods, ns, pod, report.query()));
  return attach_to_run(call, ns, made);
}

// The labels that select the pods of an object.
Result<json::object> exposed_selector(const Target& target) {
  const json::value& object = target.object;
  const std::string& kind = target.resource.kind;
  if (kind == "Pod") {
    if (api::labels_of(object).empty()) {
      return fail(
          "couldn't retrieve selectors via --selector flag or introspection: the pod has "
          "no labels and cannot be exposed");
    }
    return api::labels_of(object);
  }
  if (kind == "Service" || kind == "ReplicationController") {
    if (get_object(object, "spec.selector").empty()) {
      return fail(
          "couldn't retrieve selectors via --selector flag or introspection: the service "
          "has no pod selector set");
    }
    return get_object(object, "spec.selector");
  }
  if (kind == "Deployment" || kind == "ReplicaSet") {
    if (!get_array(object, "spec.selector.matchExpressions").empty()) {
      return fail(
          "couldn't retrieve selectors via --selector flag or introspection: couldn't "
          "convert expressions to map-based selector format");
    }
    if (get_object(object, "spec.selector.matchLabels").empty()) {
      return fail("couldn't retrieve selectors via --selector flag or introspection: invalid " +
                  to_lower(kind) + ": no selectors, therefore cannot be exposed");
    }
    return get_object(object, "spec.selector.matchLabels");
  }
  return fail("cannot expose a " + kind);
}

constexpr size_t kServiceNameMax = 63;

struct ExposedPort {
  std::int64_t number;
  std::string protocol;
};

std::vector<ExposedPort> container_ports(const Target& target) {
  std::vector<ExposedPort> out;
  if (target.resource.kind == "Service") {
    for (const json::value& port : get_array(target.object, "spec.ports")) {
      out.push_back({get_int(port, "port"), std::string(get_string(port, "protocol", "TCP"))});
    }
    return out;
  }
  const char* path =
      target.resource.kind == "Pod" ? "spec.containers" : "spec.template.spec.containers";
  for (const json::value& container : get_array(target.object, path)) {
    for (const json::value& port : get_array(container, "ports")) {
      out.push_back(
          {get_int(port, "containerPort"), std::string(get_string(port, "protocol", "TCP"))});
    }
  }
  return out;
}

Result<json::array> service_ports(Invocation& call, const Target& target) {
  std::vector<ExposedPort> ports = container_ports(target);
  if (call.flags.has("port")) {
    std::vector<ExposedPort> given;
    for (const std::string& text : split(call.flags.get("port"), ',')) {
      long long number = 0;
      if (!parse_int(text, &number)) {
        return fail("strconv.Atoi: parsing " + quoted(text) + ": invalid syntax");
      }
      std::string protocol = call.flags.get("protocol");
      for (const ExposedPort& known : ports) {
        if (known.number == number && protocol.empty()) protocol = known.protocol;
      }
      given.push_back({number, protocol.empty() ? "TCP" : protocol});
    }
    ports = std::move(given);
  }
  if (ports.empty()) {
    return fail(
        "couldn't find port via --port flag or introspection\nSee 'kubectl expose -h' for "
        "help and examples");
  }
  json::array out;
  for (size_t i = 0; i < ports.size(); ++i) {
    json::object port;
    if (ports.size() > 1) port["name"] = "port-" + std::to_string(i + 1);
    port["port"] = ports[i].number;
    port["protocol"] = ports[i].protocol;
    const std::string wanted = call.flags.get("target-port");
    long long number = 0;
    if (wanted.empty()) {
      port["targetPort"] = ports[i].number;
    } else if (parse_int(wanted, &number)) {
      port["targetPort"] = number;
    } else {
      port["targetPort"] = wanted;
    }
    out.push_back(std::move(port));
  }
  return out;
}

Status expose_one(Invocation& call, WriteReport& report, Target& target) {
  std::string name = call.flags.get("name");
  if (name.empty()) name = target.name.substr(0, kServiceNameMax);
  json::value service = new_object("v1", "Service", name);
  json::object selector;
  if (call.flags.has("selector")) {
    ASSIGN_OR_RETURN(selector, parse_labels(split(call.flags.get("selector"), ',')));
  } else {
    ASSIGN_OR_RETURN(selector, exposed_selector(target));
  }
  ASSIGN_OR_RETURN(json::array ports, service_ports(call, target));
  if (call.flags.has("labels")) {
    ASSIGN_OR_RETURN(json::object labels, parse_labels(split(call.flags.get("labels"), ',')));
    set_path(service, "metadata.labels", json::value(std::move(labels)));
  } else if (!api::labels_of(target.object).empty()) {
    set_path(service, "metadata.labels", json::value(api::labels_of(target.object)));
  }
  json::object& spec = make_object(service, "spec");
  spec["ports"] = std::move(ports);
  spec["selector"] = std::move(selector);
  for (const auto& [flag, field] : {std::pair{"type", "type"}, std::pair{"cluster-ip", "clusterIP"},
                                    std::pair{"load-balancer-ip", "loadBalancerIP"},
                                    std::pair{"session-affinity", "sessionAffinity"},
                                    std::pair{"external-name", "externalName"}}) {
    if (!call.flags.get(flag).empty()) spec[field] = call.flags.get(flag);
  }
  make_object(service, "status.loadBalancer");
  ASSIGN_OR_RETURN(service, with_overrides(call, std::move(service)));
  return create_object(call, report, std::move(service), "", "exposed");
}

Status run_expose(Invocation& call) {
  ASSIGN_OR_RETURN(WriteReport report, WriteReport::make(call));
  TargetOptions options = target_options(call.flags, call.args);
  options.label_selector.clear();  // --selector is the service's here
  ASSIGN_OR_RETURN(const auto targets, find_each_target(call.session, options));
  // What a file says is enough, whether it is there or not.
  options.as_given = true;
  return visit_objects(call.session, targets, options,
                       [&](Target& target) { return expose_one(call, report, target); });
}

}  // namespace

Command run_command() {
  Command command{.name = "run",
                  .usage = "NAME --image=IMAGE [-- ARG ...]",
                  .summary = "Create a pod that runs an image",
                  .examples =
                      "  kubectl run web --image=nginx --port=80\n"
                      "  kubectl run once --image=busybox --restart=Never -- echo hi\n"
                      "  kubectl run web --image=nginx --dry-run=client -o yaml\n",
                  .flags = create_flags("kubectl-run"),
                  .run = run_run};
  for (text::FlagSpec flag : std::vector<text::FlagSpec>{
           {"image", 0, FlagType::kString, "", "The image"},
           {"labels", 'l', FlagType::kList, "", "Labels; else run=NAME"},
           {"annotations", 0, FlagType::kArray, "", "key=value; may be repeated"},
           {"env", 0, FlagType::kArray, "", "KEY=VALUE; may be repeated"},
           {"port", 0, FlagType::kString, "", "The port the container offers"},
           {"restart", 0, FlagType::kString, "Always", "Always, OnFailure or Never"},
           {"command", 0, FlagType::kBool, "false", "What follows -- is the command"},
           {"overrides", 0, FlagType::kString, "", "JSON to merge into the pod"},
           {"override-type", 0, FlagType::kString, "merge", "Accepted and not used"},
           {"image-pull-policy", 0, FlagType::kString, "", "Always, IfNotPresent or Never"},
           {"serviceaccount", 0, FlagType::kString, "", "The service account"},
           {"expose", 0, FlagType::kBool, "false", "Create a service too"},
           {"privileged", 0, FlagType::kBool, "false", "Run privileged"},
           {"rm", 0, FlagType::kBool, "false", "Remove the pod when we leave it"},
           {"stdin", 'i', FlagType::kBool, "false", "Keep its standard input open, and join it"},
           {"tty", 't', FlagType::kBool, "false", "Give it a terminal"},
           {"attach", 0, FlagType::kBool, "false", "Wait for the pod, and join it"},
           {"leave-stdin-open", 0, FlagType::kBool, "false", "Do not end its input with ours"},
           {"quiet", 'q', FlagType::kBool, "false", "Print only what the pod prints"},
           {"pod-running-timeout", 0, FlagType::kDuration, "1m0s", "Accepted, not used"}}) {
    command.flags.push_back(std::move(flag));
  }
  command.flags.push_back(record_flag());
  return command;
}

Command expose_command() {
  Command command{.name = "expose",
                  .usage = "(-f FILE | TYPE NAME) [--port=PORT]",
                  .summary = "Create a service for the pods of a resource",
                  .examples = "  kubectl expose deployment web --port=80 --target-port=8080\n",
                  .flags = file_flags() + create_flags("kubectl-expose"),
                  .run = run_expose};
  for (const char* flag : {"name", "port", "protocol", "target-port", "type", "selector",
                           "cluster-ip", "load-balancer-ip", "session-affinity", "external-name",
                           "overrides", "override-type", "generator"}) {
    command.flags.push_back({flag, 0, FlagType::kString, "", "Of the service"});
  }
  command.flags.push_back(record_flag());
  command.flags.push_back({"labels", 'l', FlagType::kString, "", "Labels of the service"});
  return command;
}

}  // namespace coracle::kubectl
