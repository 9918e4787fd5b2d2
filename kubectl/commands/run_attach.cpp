#include "commands/run_attach.hpp"

#include <ostream>

#include "api/object.hpp"
#include "commands/pod_target.hpp"
#include "commands/streaming.hpp"
#include "kubectl/await.hpp"

namespace coracle::kubectl {
namespace {

bool has_ended(const json::value& pod) {
  const std::string_view phase = get_string(pod, "status.phase");
  return phase == "Succeeded" || phase == "Failed";
}

// Of any list of statuses; null when there is none.
const json::value* container_state(const json::value& pod, std::string_view container) {
  for (const char* list : {"status.containerStatuses", "status.ephemeralContainerStatuses"}) {
    for (const json::value& status : get_array(pod, list)) {
      if (get_string(status, "name") == container) return find(status, "state");
    }
  }
  return nullptr;
}

Status print_log(Session& session, const RemoteRequest& request) {
  client::ApiRequest get;
  get.target = "/api/v1/namespaces/" + request.ns + "/pods/" + request.pod + "/log" +
               client::encode_query({{"container", request.container}});
  get.headers.emplace_back("Accept", "*/*");
  auto answer = session.stream(std::move(get), [&](std::string_view bytes) {
    session.io.out << bytes << std::flush;
    return true;
  });
  return answer.ok() ? Status() : server_failure(answer.error());
}

Status remove_pod(Session& session, const Resource& pods, const std::string& ns,
                  const std::string& name) {
  auto answer = session.call_json("DELETE", pods.path(ns, name));
  if (!answer.ok() && !answer.error().is_not_found()) return server_failure(answer.error());
  if (answer.ok())
    session.io.out << "pod " << '"' << name << "\" deleted from " << ns << " namespace"
                   << std::endl;
  return {};
}

// How a pod that runs once has ended.
Status exit_of(Session& session, const Resource& pods, const std::string& ns,
               const std::string& name) {
  json::value last;
  RETURN_IF_ERROR(await_object(session, pods, ns, name, std::nullopt, [&](const json::value* pod) {
    if (pod != nullptr) last = *pod;
    return pod == nullptr || has_ended(*pod);
  }));
  if (get_string(last, "status.phase") != "Failed") return {};
  const std::string who = "pod " + ns + "/" + name;
  for (const json::value& status : get_array(last, "status.containerStatuses")) {
    const std::int64_t code = get_int(status, "state.terminated.exitCode");
    if (code == 0) continue;
    session.failure_code = static_cast<int>(code);
    return {Code::kUnknown, who + " terminated (" +
                                std::string(get_string(status, "state.terminated.reason")) + ")\n" +
                                std::string(get_string(status, "state.terminated.message"))};
  }
  return fail(who + " failed with unknown exit code");
}

}  // namespace

bool is_attached_run(const Invocation& call) {
  return call.flags.is_set("attach") || call.flags.is_set("stdin") || call.flags.is_set("tty");
}

Status check_attached_run(const Invocation& call) {
  const bool attached = is_attached_run(call);
  if (call.flags.is_set("tty") && !call.flags.is_set("stdin")) {
    return fail("-i/--stdin is required for containers with -t/--tty=true");
  }
  const std::string dry = call.flags.get("dry-run");
  if (attached && !dry.empty() && dry != "none") {
    return fail("--dry-run=" + dry +
                " can't be used with attached containers options (--attach, --stdin, or --tty)");
  }
  if (call.flags.is_set("rm") && !attached) {
    return fail("--rm should only be used for attached containers");
  }
  return {};
}

Status attach_when_running(Invocation& call, const std::string& ns, const std::string& pod,
                           const std::string& container) {
  Session& session = call.session;
  ASSIGN_OR_RETURN(const Resource* pods, session.resource("pods"));
  RemoteRequest request{ns, pod, container, {}, call.flags.is_set("stdin"), false};
  bool ended = false, gone = false, tty = false;
  const auto deadline = session.now() + std::chrono::minutes(1);
  RETURN_IF_ERROR(await_object(session, *pods, ns, pod, deadline, [&](const json::value* seen) {
    gone = seen == nullptr;
    if (gone) return true;
    const json::value* state = container_state(*seen, container);
    ended = has_ended(*seen) || (state != nullptr && find(*state, "terminated") != nullptr);
    const json::value* spec = find_container(*seen, container);
    tty = spec != nullptr && get_bool(*spec, "tty");
    return ended || (state != nullptr && find(*state, "running") != nullptr);
  }));
  if (gone) return fail("pod " + pod + " is gone");
  if (ended) return print_log(session, request);
  request.tty = request.input && tty && usable_terminal(session, call.flags.is_set("tty"));
  if (!call.flags.is_set("quiet")) {
    session.warn(
        "All commands and output from this session will be recorded in container logs, including "
        "credentials and sensitive information passed through the command prompt.\n"
        "If you don't see a command prompt, try pressing enter.");
  }
  const Status attached = run_remote_here(session, request);
  if (attached.ok()) return attached;
  // It may have ended between our look and our joining it: then its log has it all.
  auto now = session.get(*pods, ns, pod);
  if (now.ok()) {
    const json::value* state = container_state(now.value(), container);
    if (state != nullptr && find(*state, "terminated") != nullptr) {
      session.failure_code = 1;
      return print_log(session, request);
    }
  }
  return attached;
}

Status attach_to_run(Invocation& call, const std::string& ns, const std::string& name) {
  Session& session = call.session;
  ASSIGN_OR_RETURN(const Resource* pods, session.resource("pods"));
  Status ended = attach_when_running(call, ns, name, name);
  if (ended.ok() && call.flags.get("restart") != "Always" &&
      !call.flags.is_set("leave-stdin-open")) {
    ended = exit_of(session, *pods, ns, name);
  }
  if (!call.flags.is_set("rm")) return ended;
  const Status removed = remove_pod(session, *pods, ns, name);
  return ended.ok() ? removed : ended;
}

}  // namespace coracle::kubectl
