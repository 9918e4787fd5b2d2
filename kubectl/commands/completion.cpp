// completion: scripts for shells, which ask `__complete` what may follow the words so far.
#include <algorithm>
#include <ostream>
#include <set>

#include "api/object.hpp"
#include "base/strings.hpp"
#include "client/kubeconfig.hpp"
#include "commands/commands.hpp"

namespace coracle::kubectl {
namespace {

constexpr const char* kBash =
    R"(# mini-kubectl completion for bash: source <(mini-kubectl completion bash)
__mini_kubectl_complete() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do COMPREPLY+=("$line"); done < <(
    "${COMP_WORDS[0]}" __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F __mini_kubectl_complete mini-kubectl
)";
constexpr const char* kZsh = R"(#compdef mini-kubectl
# mini-kubectl completion for zsh: source <(mini-kubectl completion zsh)
_mini_kubectl() {
  local -a found
  found=("${(@f)$("${words[1]}" __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "${found[1]}" ]]; then compadd -- "${found[@]}"; else _files; fi
}
compdef _mini_kubectl mini-kubectl
)";

// Whose first argument is a type and whose others are names of it.
const std::set<std::string> kTyped = {"get",
                                      "describe",
                                      "delete",
                                      "edit",
                                      "label",
                                      "patch",
                                      "annotate",
                                      "scale",
                                      "expose",
                                      "autoscale",
                                      "wait",
                                      "explain",
                                      "rollout status",
                                      "rollout history",
                                      "rollout restart",
                                      "rollout undo",
                                      "rollout pause",
                                      "rollout resume"};
const std::set<std::string> kPods = {"logs", "exec",  "attach", "port-forward",
                                     "why",  "debug", "cp"};
const std::set<std::string> kNodes = {"cordon", "uncordon", "drain", "top node"};

class Completer {
 public:
  Completer(Invocation& call, const std::vector<Command>& commands)
      : call_(call), commands_(commands) {}

  std::set<std::string> run(std::vector<std::string> words) {
    const std::string current = words.empty() ? "" : words.back();
    if (!words.empty()) words.pop_back();
    const std::string before = words.empty() ? "" : words.back();
    std::vector<std::string> rest;
    const Command* command = command_of(commands_, words, &rest);
    if (before == "-n" || before == "--namespace") {
      add_names("namespaces", "");
    } else if (current.starts_with('-')) {
      add_flags(command);
    } else if (command == nullptr || !command->run) {
      add_commands(command == nullptr ? "" : command->name + " ");
    } else {
      add_arguments(*command, rest, current);
    }
    std::set<std::string> fitting;
    for (const std::string& one : found_) {
      if (one.starts_with(current)) fitting.insert(one);
    }
    return fitting;
  }

 private:
  void add_flags(const Command* command) {
    for (const auto* flags : {command == nullptr ? nullptr : &command->flags, &global_flags()}) {
      for (size_t i = 0; flags != nullptr && i < flags->size(); ++i) {
        found_.insert("--" + (*flags)[i].name);
      }
    }
  }

  void add_commands(const std::string& parent) {
    for (const Command& command : commands_) {
      if (!command.name.starts_with(parent) || command.name.starts_with("__")) continue;
      const std::string rest = command.name.substr(parent.size());
      if (rest.find(' ') == rest.npos) found_.insert(rest);
    }
  }

  void add_arguments(const Command& command, const std::vector<std::string>& rest,
                     const std::string& current) {
    std::vector<text::FlagSpec> specs = command.flags;
    specs.insert(specs.end(), global_flags().begin(), global_flags().end());
    const auto flags = text::parse_flags(specs, rest);
    if (!flags.ok()) return;
    const std::string ns =
        flags->get("namespace").empty() ? call_.session.namespace_name() : flags->get("namespace");
    if (command.name == "config use-context") return add_contexts();
    if (kNodes.contains(command.name)) return add_names("nodes", "");
    if (kPods.contains(command.name)) return add_names("pods", ns);
    if (!kTyped.contains(command.name)) return;
    const size_t slash = current.find('/');
    if (slash != current.npos) {
      const std::string type = current.substr(0, slash);
      add_names(type, ns, type + "/");
    } else if (flags->args.empty()) {
      add_types();
    } else if (command.name != "explain") {
      add_names(flags->args[0], ns);
    }
  }

  void add_types() {
    const auto discovery = call_.session.discovery();
    if (!discovery.ok()) return;
    for (const Resource& resource : (*discovery)->resources()) found_.insert(resource.plural);
  }

  void add_names(const std::string& type, const std::string& ns, const std::string& prefix = {}) {
    const auto resource = call_.session.resource(type);
    if (!resource.ok()) return;
    const auto list = call_.session.list(**resource, (*resource)->namespaced ? ns : "");
    if (!list.ok()) return;
    for (const json::value& item : get_array(list.value(), "items")) {
      found_.insert(prefix + std::string(api::name_of(item)));
    }
  }

  void add_contexts() {
    const auto config = call_.session.kubeconfig();
    if (!config.ok()) return;
    const json::value& merged = (*config)->merged();
    for (const json::value& context : get_array(merged, "contexts")) {
      found_.emplace(get_string(context, "name"));
    }
  }

  Invocation& call_;
  const std::vector<Command>& commands_;
  std::set<std::string> found_;
};

Status print_script(Invocation& call) {
  if (call.args.size() != 1) return usage_failure("completion", "Shell not specified.");
  const bool zsh = call.args[0] == "zsh";
  if (!zsh && call.args[0] != "bash") {
    return usage_failure("completion", "Unsupported shell type " + quoted(call.args[0]) + ".");
  }
  call.session.io.out << (zsh ? kZsh : kBash);
  return {};
}

Status complete(Invocation& call) {
  for (const std::string& one : Completer(call, all_commands()).run(call.args)) {
    call.session.io.out << one << "\n";
  }
  return {};
}

}  // namespace

std::vector<Command> completion_commands() {
  return {{.name = "completion",
           .usage = "(bash | zsh)",
           .summary = "Print a script with which the shell completes our command lines",
           .examples = "  source <(mini-kubectl completion bash)\n",
           .flags = {},
           .run = print_script},
          {.name = "__complete",
           .usage = "-- WORDS",
           .summary = "What the last word may become; asked by the scripts of completion",
           .run = complete}};
}

}  // namespace coracle::kubectl
