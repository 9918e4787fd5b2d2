// exec, attach
#include "api/object.hpp"
#include "base/strings.hpp"
#include "commands/commands.hpp"
#include "commands/pod_target.hpp"
#include "commands/streaming.hpp"
#include "kubectl/target.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;

// Words before `--` say where, those behind it what.
struct ExecWords {
  std::string target;
  std::vector<std::string> command;
};

// "deployment/web" of the file's only object.
Result<std::string> target_of_file(const Invocation& call, const std::string& file) {
  TargetOptions options;
  options.files.filenames = {file};
  ASSIGN_OR_RETURN(const Target target, only_target(call.session, options));
  return target.resource.plural + "/" + target.name;
}

Result<ExecWords> exec_words(const Invocation& call) {
  const size_t dash = call.flags.dash_args.value_or(call.args.size());
  if (dash > 1 || (!call.flags.dash_args && call.args.size() > 1)) {
    return usage_failure("exec",
                         "exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- "
                         "[COMMAND] instead");
  }
  const std::string file = call.flags.get("filename");
  if (dash == 0 && file.empty()) {
    return usage_failure("exec", "pod, type/name or --filename must be specified");
  }
  if (dash == 1 && !file.empty()) {
    return usage_failure("exec", "a pod and --filename cannot both be specified");
  }
  ExecWords words;
  if (file.empty()) {
    words = {call.args[0], {call.args.begin() + 1, call.args.end()}};
  } else {
    ASSIGN_OR_RETURN(words.target, target_of_file(call, file));
    words.command = call.args;
  }
  if (words.command.empty()) {
    return usage_failure("exec", "you must specify at least one command for the container");
  }
  return words;
}

Status check_alive(const json::value& pod, const char* doing) {
  const std::string phase(get_string(pod, "status.phase"));
  if (phase != "Succeeded" && phase != "Failed") return {};
  return fail("cannot " + std::string(doing) +
              " a container in a completed pod; current phase is " + phase);
}

Status run_exec(Invocation& call) {
  ASSIGN_OR_RETURN(const ExecWords words, exec_words(call));
  ASSIGN_OR_RETURN(const json::value pod, pod_of(call.session, words.target));
  RETURN_IF_ERROR(check_alive(pod, "exec into"));
  RemoteRequest request;
  request.ns = api::namespace_of(pod);
  request.pod = api::name_of(pod);
  ASSIGN_OR_RETURN(request.container, container_of(call.session, pod, call.flags.get("container"),
                                                   call.flags.is_set("quiet")));
  request.command = words.command;
  request.input = call.flags.is_set("stdin");
  request.tty = request.input && usable_terminal(call.session, call.flags.is_set("tty"));
  return run_remote_here(call.session, request);
}

Status run_attach(Invocation& call) {
  if (call.args.empty()) {
    return usage_failure("attach", "at least 1 argument is required for attach");
  }
  if (call.args.size() > 1) {
    return usage_failure("attach",
                         "expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw " +
                             std::to_string(call.args.size()) + ": [" + join(call.args, " ") + "]");
  }
  ASSIGN_OR_RETURN(const json::value pod, pod_of(call.session, call.args[0]));
  RETURN_IF_ERROR(check_alive(pod, "attach"));
  RemoteRequest request;
  request.ns = api::namespace_of(pod);
  request.pod = api::name_of(pod);
  const bool quiet = call.flags.is_set("quiet");
  ASSIGN_OR_RETURN(request.container,
                   container_of(call.session, pod, call.flags.get("container"), quiet));
  const json::value* container = find_container(pod, request.container);
  request.input = call.flags.is_set("stdin");
  request.tty = request.input && call.flags.is_set("tty");
  if (request.tty && !get_bool(*container, "tty")) {
    request.tty = false;
    if (!quiet) {
      call.session.warn("error: Unable to use a TTY - container " + request.container +
                        " did not allocate one");
    }
  }
  request.tty = usable_terminal(call.session, request.tty);
  if (!quiet) {
    call.session.warn("If you don't see a command prompt, try pressing enter.");
  }
  return run_remote_here(call.session, request);
}

std::vector<text::FlagSpec> stream_flags() {
  return {{"container", 'c', FlagType::kString, "", "Which container; the first if it is not said"},
          {"stdin", 'i', FlagType::kBool, "false", "Pass our standard input on"},
          {"tty", 't', FlagType::kBool, "false", "Standard input is a terminal"},
          {"quiet", 'q', FlagType::kBool, "false", "Print only what the command prints"},
          {"pod-running-timeout", 0, FlagType::kDuration, "1m0s", "Accepted, not used"}};
}

}  // namespace

std::vector<Command> exec_commands() {
  return {{.name = "exec",
           .usage = "(POD | TYPE/NAME) [-c CONTAINER] [-i] [-t] -- COMMAND [args...]",
           .summary = "Run a command in a container",
           .examples = "  kubectl exec web -- date\n  kubectl exec -f web.yaml -- date\n  kubectl "
                       "exec -it deploy/web -c app -- sh\n",
           .flags = stream_flags() +
                    std::vector<text::FlagSpec>{{"filename", 'f', FlagType::kString, "",
                                                 "The file of the object whose pod is meant"}},
           .run = run_exec},
          {.name = "attach",
           .usage = "(POD | TYPE/NAME) [-c CONTAINER] [-i] [-t]",
           .summary = "Join what runs in a container",
           .examples = "  kubectl attach web\n  kubectl attach -it shell\n",
           .flags = stream_flags(),
           .run = run_attach}};
}

}  // namespace coracle::kubectl
