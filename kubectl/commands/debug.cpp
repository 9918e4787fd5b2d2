// debug: a container to look around with: in a running pod, in a copy of it, or on a node.
#include <ostream>

#include "api/object.hpp"
#include "base/rng.hpp"
#include "base/strings.hpp"
#include "commands/commands.hpp"
#include "commands/create.hpp"
#include "commands/pod_parts.hpp"
#include "commands/pod_target.hpp"
#include "commands/run_attach.hpp"
#include "kubectl/target.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;

// As the apiserver's generateName: no vowels, no look-alikes.
std::string random_suffix() {
  constexpr std::string_view kLetters = "bcdfghjklmnpqrstvwxz2456789";
  Rng rng(secure_random_seed());
  std::string out;
  for (int i = 0; i < 5; ++i) out += kLetters[rng.below(kLetters.size())];
  return out;
}

class Debug {
 public:
  explicit Debug(Invocation& call) : call_(call), session_(call.session) {}

  Status run() {
    const size_t dash = call_.flags.dash_args.value_or(call_.args.size());
    if (dash == 0) {
      return usage_failure("debug", "NAME or TYPE/NAME is required for debug");
    }
    if (dash > 1) return fail("only one resource can be debugged at a time");
    words_ = {call_.args.begin() + 1, call_.args.end()};
    image_ = call_.flags.get("image");
    copy_to_ = call_.flags.get("copy-to");
    if (image_.empty() && copy_to_.empty() && call_.flags.list("set-image").empty()) {
      return fail("you must specify --image, --copy-to or --set-image");
    }
    if (call_.flags.is_set("tty") && !call_.flags.is_set("stdin")) {
      return fail("-i/--stdin is required for containers with -t/--tty=true");
    }
    TargetOptions options;
    const std::string& word = call_.args[0];
    options.args = {word.find('/') == word.npos ? "pod/" + word : word};
    ASSIGN_OR_RETURN(Target target, only_target(session_, options));
    if (target.resource.kind == "Node") return on_node(target.name);
    if (target.resource.kind != "Pod") {
      return fail("cannot debug " + target.resource.plural + "/" + target.name);
    }
    return copy_to_.empty() ? in_pod(target) : in_copy(target);
  }

 private:
  // The container of ours, as it is in every form.
  Result<json::object> container(const std::string& name) const {
    json::object out;
    out["name"] = name;
    out["image"] = image_;
    if (const std::string policy = call_.flags.get("image-pull-policy"); !policy.empty()) {
      out["imagePullPolicy"] = policy;
    }
    if (const auto env = call_.flags.list("env"); !env.empty()) {
      ASSIGN_OR_RETURN(json::array variables, parse_env(env));
      out["env"] = std::move(variables);
    }
    if (!words_.empty()) {
      out[call_.flags.is_set("arguments-only") ? "args" : "command"] = string_array(words_);
    }
    if (call_.flags.is_set("stdin")) out["stdin"] = true;
    if (call_.flags.is_set("tty")) out["tty"] = true;
    out["terminationMessagePolicy"] = "File";
    return out;
  }

  std::string container_name() {
    if (const std::string given = call_.flags.get("container"); !given.empty()) return given;
    const std::string made = "debugger-" + random_suffix();
    if (!call_.flags.is_set("quiet")) {
      session_.warn("Defaulting debug container name to " + made + ".");
    }
    return made;
  }

  Status join(const std::string& ns, const std::string& pod, const std::string& name) {
    const bool wanted =
        call_.flags.has("attach") ? call_.flags.is_set("attach") : call_.flags.is_set("stdin");
    return wanted ? attach_when_running(call_, ns, pod, name) : Status();
  }

  Status in_pod(const Target& target) {
    const std::string name = container_name();
    ASSIGN_OR_RETURN(json::object mine, container(name));
    if (const std::string other = call_.flags.get("target"); !other.empty()) {
      mine["targetContainerName"] = other;
      if (!call_.flags.is_set("quiet")) {
        session_.warn("Targeting container " + quoted(other) +
                      ". If you don't see processes from this container it may be because the "
                      "container runtime doesn't support this feature.");
      }
    }
    // As kubectl's own patch does: the new one comes last.
    json::array order;
    for (const json::value& known : get_array(target.object, "spec.ephemeralContainers")) {
      order.push_back(json::object{{"name", get_string(known, "name")}});
    }
    order.push_back(json::object{{"name", name}});
    json::array list;
    list.push_back(std::move(mine));
    json::value patch = json::object();
    set_path(patch, "spec.$setElementOrder/ephemeralContainers", json::value(std::move(order)));
    set_path(patch, "spec.ephemeralContainers", json::value(std::move(list)));
    TRY_SERVER(const json::value changed,
               session_.patch(target.resource, target.ns, target.name,
                              client::PatchType::kStrategic, patch, {}, "ephemeralcontainers"));
    return join(target.ns, target.name, name);
  }

  Status on_node(const std::string& node) {
    const std::string name = "node-debugger-" + node + "-" + random_suffix();
    if (!call_.flags.is_set("quiet")) {
      session_.io.out << "Creating debugging pod " << name << " with container debugger on node "
                      << node << "." << std::endl;
    }
    ASSIGN_OR_RETURN(json::object mine, container("debugger"));
    mine["volumeMounts"] = *parse_json(R"([{"mountPath":"/host","name":"host-root"}])");
    json::value pod = new_object("v1", "Pod", name);
    json::array containers;
    containers.push_back(std::move(mine));
    json::object& spec = make_object(pod, "spec");
    spec["containers"] = std::move(containers);
    for (const char* share : {"hostIPC", "hostNetwork", "hostPID"}) spec[share] = true;
    spec["nodeName"] = node;
    spec["restartPolicy"] = "Never";
    spec["tolerations"] = *parse_json(R"([{"operator":"Exists"}])");
    spec["volumes"] = *parse_json(R"([{"name":"host-root","hostPath":{"path":"/"}}])");
    return create_and_join(std::move(pod), session_.namespace_name(), "debugger");
  }

  Status in_copy(const Target& target) {
    json::value pod = new_object("v1", "Pod", copy_to_);
    json::object spec = get_object(target.object, "spec");
    if (!call_.flags.is_set("same-node")) erase_key(spec, "nodeName");
    erase_key(spec, "ephemeralContainers");
    if (call_.flags.is_set("keep-labels")) {
      set_path(pod, "metadata.labels", json::value(api::labels_of(target.object)));
    }
    if (call_.flags.is_set("share-processes")) spec["shareProcessNamespace"] = true;
    json::array& containers = spec["containers"].as_array();
    for (json::value& one : containers) prepare_copied(one.as_object());
    std::string name = call_.flags.get("container");
    if (!image_.empty() || !name.empty()) {
      json::value* known = nullptr;
      if (name.empty()) name = container_name();
      for (json::value& one : containers) {
        if (get_string(one, "name") == name) known = &one;
      }
      if (known != nullptr) {
        change_copied(known->as_object());
      } else {
        ASSIGN_OR_RETURN(json::object mine, container(name));
        containers.push_back(std::move(mine));
      }
    }
    make_object(pod, "spec") = std::move(spec);
    if (call_.flags.is_set("replace")) {
      const json::value at_once(json::object{{"gracePeriodSeconds", 0}});
      auto gone =
          session_.call_json("DELETE", target.resource.path(target.ns, target.name), &at_once);
      if (!gone.ok()) return server_failure(gone.error());
    }
    return create_and_join(std::move(pod), target.ns, name);
  }

  void prepare_copied(json::object& container) const {
    for (const auto& [probe, flag] : {std::pair{"livenessProbe", "keep-liveness"},
                                      std::pair{"readinessProbe", "keep-readiness"},
                                      std::pair{"startupProbe", "keep-startup"}}) {
      if (!call_.flags.is_set(flag)) erase_key(container, probe);
    }
    for (const std::string& pair : call_.flags.list("set-image")) {
      const size_t equals = pair.find('=');
      if (equals == pair.npos) continue;
      const std::string which = pair.substr(0, equals);
      if (which == "*" || which == get_string(container, "name")) {
        container["image"] = pair.substr(equals + 1);
      }
    }
  }

  void change_copied(json::object& container) const {
    if (!image_.empty()) container["image"] = image_;
    if (!words_.empty()) {
      container[call_.flags.is_set("arguments-only") ? "args" : "command"] = string_array(words_);
      if (!call_.flags.is_set("arguments-only")) erase_key(container, "args");
    }
    if (call_.flags.is_set("stdin")) container["stdin"] = true;
    if (call_.flags.is_set("tty")) container["tty"] = true;
  }

  Status create_and_join(json::value pod, const std::string& ns, const std::string& container) {
    ASSIGN_OR_RETURN(const Resource* pods, session_.resource("pods"));
    erase_key(make_object(pod, "metadata"), "creationTimestamp");
    TRY_SERVER(const json::value made, session_.create(*pods, ns, pod));
    return container.empty() ? Status() : join(ns, std::string(api::name_of(made)), container);
  }

  Invocation& call_;
  Session& session_;
  std::vector<std::string> words_;
  std::string image_, copy_to_;
};

}  // namespace

Command debug_command() {
  return {
      .name = "debug",
      .usage = "(POD | TYPE/NAME) --image=IMAGE [-- COMMAND ...]",
      .summary = "Look around in a pod, a copy of it, or on a node",
      .examples =
          "  kubectl debug web -it --image=busybox\n"
          "  kubectl debug web -it --copy-to=web-2 --container=app -- sh\n"
          "  kubectl debug node/node-1 -it --image=busybox\n",
      .flags = {{"image", 0, FlagType::kString, "", "The image to look around with"},
                {"container", 'c', FlagType::kString, "", "The name of its container"},
                {"target", 0, FlagType::kString, "", "Share the processes of this container"},
                {"copy-to", 0, FlagType::kString, "", "Work on a copy of this name"},
                {"replace", 0, FlagType::kBool, "false", "Remove the pod that is copied"},
                {"same-node", 0, FlagType::kBool, "false", "Put the copy on the same node"},
                {"share-processes", 0, FlagType::kBool, "true", "In the copy: all see all"},
                {"set-image", 0, FlagType::kList, "", "In the copy: CONTAINER=IMAGE"},
                {"keep-labels", 0, FlagType::kBool, "false", "The copy keeps the labels"},
                {"keep-liveness", 0, FlagType::kBool, "false", "... the liveness probes"},
                {"keep-readiness", 0, FlagType::kBool, "false", "... the readiness probes"},
                {"keep-startup", 0, FlagType::kBool, "false", "... the startup probes"},
                {"env", 0, FlagType::kArray, "", "KEY=VALUE; may be repeated"},
                {"image-pull-policy", 0, FlagType::kString, "", "Always, IfNotPresent, Never"},
                {"arguments-only", 0, FlagType::kBool, "false", "What follows -- are arguments"},
                {"stdin", 'i', FlagType::kBool, "false", "Keep its input open, and join it"},
                {"tty", 't', FlagType::kBool, "false", "Give it a terminal"},
                {"attach", 0, FlagType::kBool, "false", "Wait for it, and join it"},
                {"profile", 0, FlagType::kString, "general", "Accepted, not used"},
                {"quiet", 'q', FlagType::kBool, "false", "Say nothing"}},
      .run = [](Invocation& call) { return Debug(call).run(); }};
}

}  // namespace coracle::kubectl
