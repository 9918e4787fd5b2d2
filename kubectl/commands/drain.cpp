#include <ostream>

#include "api/object.hpp"
#include "base/strings.hpp"
#include "commands/commands.hpp"
#include "commands/node_edit.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;

constexpr Duration kEvictAgain = std::chrono::seconds(5);
constexpr Duration kPoll = std::chrono::milliseconds(500);

struct PodList {
  std::vector<json::value> evict;
  std::vector<std::string> daemon_set_pods, unmanaged, with_storage;  // "ns/name"
};

std::string full_name(const json::value& pod) {
  return std::string(api::namespace_of(pod)) + "/" + std::string(api::name_of(pod));
}

bool is_finished(const json::value& pod) {
  const std::string_view phase = get_string(pod, "status.phase");
  return phase == "Succeeded" || phase == "Failed";
}

bool has_local_storage(const json::value& pod) {
  for (const json::value& volume : get_array(pod, "spec.volumes")) {
    if (find(volume, "emptyDir")) return true;
  }
  return false;
}

class Drain {
 public:
  Drain(Invocation& call, const Resource& pods)
      : call_(call), session_(call.session), pods_(pods) {}

  Status drain(const Target& node) {
    const Duration timeout = call_.flags.get_duration("timeout");
    if (timeout > Duration::zero()) deadline_ = session_.now() + timeout;
    ASSIGN_OR_RETURN(PodList list, pods_of(node));
    RETURN_IF_ERROR(check(list));
    for (const json::value& pod : list.evict) {
      const std::string verb = call_.flags.is_set("disable-eviction") ? "deleting" : "evicting";
      session_.warn(verb + " pod " + full_name(pod));
    }
    return evict_all(std::move(list.evict));
  }

 private:
  Result<PodList> pods_of(const Target& node) {
    client::QueryList query = {{"fieldSelector", "spec.nodeName=" + node.name}};
    if (const std::string selector = call_.flags.get("pod-selector"); !selector.empty()) {
      query.emplace_back("labelSelector", selector);
    }
    TRY_SERVER(const json::value found, session_.list(pods_, "", query));
    PodList out;
    for (const json::value& pod : get_array(found, "items")) {
      if (api::annotations_of(pod).contains("kubernetes.io/config.mirror")) continue;
      const json::value* owner = api::controller_of(pod);
      if (!is_finished(pod)) {
        if (owner && get_string(*owner, "kind") == "DaemonSet") {
          out.daemon_set_pods.push_back(full_name(pod));
          continue;
        }
        if (!owner) out.unmanaged.push_back(full_name(pod));
        if (has_local_storage(pod)) out.with_storage.push_back(full_name(pod));
      }
      out.evict.push_back(pod);
    }
    return out;
  }

  Status check(const PodList& list) {
    std::vector<std::string> errors, warnings;
    const auto judge = [&](const std::vector<std::string>& pods, bool allowed,
                           const std::string& error, const std::string& warning) {
      if (pods.empty()) return;
      (allowed ? warnings : errors).push_back((allowed ? warning : error) + join(pods, ", "));
    };
    judge(list.daemon_set_pods, call_.flags.is_set("ignore-daemonsets"),
          "cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): ",
          "ignoring DaemonSet-managed Pods: ");
    judge(list.with_storage, call_.flags.is_set("delete-emptydir-data"),
          "cannot delete Pods with local storage (use --delete-emptydir-data to override): ",
          "deleting Pods with local storage: ");
    judge(list.unmanaged, call_.flags.is_set("force"),
          "cannot delete cannot delete Pods that declare no controller (use --force to override): ",
          "deleting Pods that declare no controller: ");
    if (!warnings.empty() && errors.empty()) session_.warn("Warning: " + join(warnings, "; "));
    if (errors.empty()) return {};
    return invalid_argument(join(errors, ", "));
  }

  Status evict(const json::value& pod) {
    const std::string ns(api::namespace_of(pod)), name(api::name_of(pod));
    json::value body = json::object();
    std::string target = pods_.path(ns, name);
    const bool by_deletion = call_.flags.is_set("disable-eviction");
    body.as_object()["kind"] = by_deletion ? "DeleteOptions" : "Eviction";
    body.as_object()["apiVersion"] = by_deletion ? "v1" : "policy/v1";
    if (!by_deletion) {
      target += "/eviction";
      set_path(body, "metadata.name", json::value(name));
      set_path(body, "metadata.namespace", json::value(ns));
    }
    if (call_.flags.get_int("grace-period") >= 0) {
      set_path(body, by_deletion ? "gracePeriodSeconds" : "deleteOptions.gracePeriodSeconds",
               json::value(call_.flags.get_int("grace-period")));
    }
    for (;;) {
      auto answer = session_.call_json(by_deletion ? "DELETE" : "POST", target, &body);
      if (answer.ok() || answer.error().is_not_found()) return {};
      if (answer.error().http != 429) {
        return invalid_argument("error when evicting pods/" + quoted(name) + " -n " + quoted(ns) +
                                ": " + answer.error().message);
      }
      session_.warn("error when evicting pods/" + quoted(name) + " -n " + quoted(ns) +
                    " (will retry after 5s): " + answer.error().message);
      RETURN_IF_ERROR(
          wait(kEvictAgain, "error when evicting pods/" + quoted(name) + " -n " + quoted(ns) +
                                ": global timeout reached: " + call_.flags.get("timeout")));
    }
  }

  Status wait(Duration pause, const std::string& too_late) {
    if (deadline_ && session_.now() + pause > *deadline_) return deadline_exceeded(too_late);
    session_.pause(pause);
    return {};
  }

  Status evict_all(std::vector<json::value> pods) {
    for (const json::value& pod : pods) RETURN_IF_ERROR(evict(pod));
    for (const json::value& pod : pods) {
      const std::string ns(api::namespace_of(pod)), name(api::name_of(pod));
      for (;;) {
        auto answer = session_.get(pods_, ns, name);
        if (!answer.ok() && answer.error().is_not_found()) break;
        if (!answer.ok()) return server_failure(answer.error());
        if (api::uid_of(answer.value()) != api::uid_of(pod)) break;
        RETURN_IF_ERROR(
            wait(kPoll, "error when waiting for pod " + quoted(name) +
                            " terminating: global timeout reached: " + call_.flags.get("timeout")));
      }
      session_.io.out << "pod/" << name
                      << (call_.flags.is_set("disable-eviction") ? " deleted\n" : " evicted\n")
                      << std::flush;
    }
    return {};
  }

  Invocation& call_;
  Session& session_;
  const Resource& pods_;
  std::optional<TimePoint> deadline_;
};

Status run_drain(Invocation& call) {
  TargetOptions options;
  options.label_selector = call.flags.get("selector");
  options.args = {"nodes"};
  options.args.insert(options.args.end(), call.args.begin(), call.args.end());
  if (call.args.empty() && options.label_selector.empty()) {
    return usage_failure(call.command, "USAGE: drain NODE [flags]");
  }
  if (!call.args.empty() && !options.label_selector.empty()) {
    return usage_failure(call.command, "cannot specify both a node name and a --selector option");
  }
  ASSIGN_OR_RETURN(WriteReport report, WriteReport::make(call));
  ASSIGN_OR_RETURN(const auto nodes, fetch_objects(call.session, options));
  ASSIGN_OR_RETURN(const Resource* pods, call.session.resource("pods"));
  for (const Target& node : nodes) RETURN_IF_ERROR(cordon_node(call, report, node, true));
  std::vector<std::string> pending;
  for (const Target& node : nodes) pending.push_back(node.name);
  std::vector<Status> failures;
  for (const Target& node : nodes) {
    if (report.dry_run == DryRun::kNone) {
      Status status = Drain(call, *pods).drain(node);
      if (!status.ok()) {
        call.session.warn("error: unable to drain node " + quoted(node.name) +
                          " due to error: " + status.message() + ", continuing command...");
        failures.push_back(fail("unable to drain node " + quoted(node.name) +
                                " due to error: " + status.message()));
        continue;
      }
    }
    RETURN_IF_ERROR(report.print(node.object, "drained"));
    std::erase(pending, node.name);
  }
  if (failures.empty()) return {};
  call.session.warn("There are pending nodes to be drained:");
  for (const std::string& name : pending) call.session.warn(" " + name);
  std::vector<std::string> texts;
  for (const Status& failure : failures) {
    const std::string& text = failure.message();
    texts.push_back(text.substr(text.find("due to error: ") + 14));
  }
  return fail(join(texts, "\n"));
}

}  // namespace

Command drain_command() {
  Command command{.name = "drain",
                  .usage = "NODE [flags]",
                  .summary = "Empty a node: cordon it and evict its pods",
                  .examples = "  kubectl drain node-1 --ignore-daemonsets\n",
                  .flags = write_flags("kubectl-drain"),
                  .run = run_drain};
  for (text::FlagSpec flag : std::vector<text::FlagSpec>{
           {"selector", 'l', FlagType::kString, "", "Nodes by their labels"},
           {"pod-selector", 0, FlagType::kString, "", "Only these pods"},
           {"force", 0, FlagType::kBool, "false", "Also pods without a controller"},
           {"ignore-daemonsets", 0, FlagType::kBool, "false", "Leave daemon sets' pods"},
           {"delete-emptydir-data", 0, FlagType::kBool, "false", "Also pods with emptyDir"},
           {"disable-eviction", 0, FlagType::kBool, "false", "Delete instead of evict"},
           {"grace-period", 0, FlagType::kInt, "-1", "Seconds to end in; negative: the pod's"},
           {"timeout", 0, FlagType::kDuration, "0s", "Give up after so long; 0: never"},
           {"chunk-size", 0, FlagType::kInt, "500", "Accepted, not used"},
           {"skip-wait-for-delete-timeout", 0, FlagType::kInt, "0", "Accepted, not used"}}) {
    command.flags.push_back(std::move(flag));
  }
  return command;
}

}  // namespace coracle::kubectl
