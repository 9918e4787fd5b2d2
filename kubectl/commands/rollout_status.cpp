// rollout status: what a deployment, daemon set or stateful set still waits for, until it is done.
#include <ostream>

#include "api/object.hpp"
#include "base/strings.hpp"
#include "commands/commands.hpp"
#include "commands/rollout.hpp"
#include "kubectl/await.hpp"

namespace coracle::kubectl {
namespace {

std::string count(std::int64_t n) { return std::to_string(n); }

RolloutProgress deployment_progress(const json::value& object) {
  const std::string name(api::name_of(object));
  if (api::generation_of(object) > get_int(object, "status.observedGeneration")) {
    return {"Waiting for deployment spec update to be observed...", false, {}};
  }
  for (const json::value& condition : get_array(object, "status.conditions")) {
    if (get_string(condition, "type") == "Progressing" &&
        get_string(condition, "reason") == "ProgressDeadlineExceeded") {
      return {"", false, "deployment " + quoted(name) + " exceeded its progress deadline"};
    }
  }
  const std::int64_t wanted = get_int(object, "spec.replicas", 1);
  const std::int64_t updated = get_int(object, "status.updatedReplicas");
  const std::int64_t total = get_int(object, "status.replicas");
  const std::int64_t available = get_int(object, "status.availableReplicas");
  const std::string head = "Waiting for deployment " + quoted(name) + " rollout to finish: ";
  if (updated < wanted) {
    return {
        head + count(updated) + " out of " + count(wanted) + " new replicas have been updated...",
        false,
        {}};
  }
  if (total > updated) {
    return {head + count(total - updated) + " old replicas are pending termination...", false, {}};
  }
  if (available < updated) {
    return {
        head + count(available) + " of " + count(updated) + " updated replicas are available...",
        false,
        {}};
  }
  return {"deployment " + quoted(name) + " successfully rolled out", true, {}};
}

RolloutProgress daemon_set_progress(const json::value& object) {
  const std::string name(api::name_of(object));
  if (get_string(object, "spec.updateStrategy.type", "RollingUpdate") != "RollingUpdate") {
    return {"", true, "rollout status is only available for RollingUpdate strategy type"};
  }
  if (api::generation_of(object) > get_int(object, "status.observedGeneration")) {
    return {"Waiting for daemon set spec update to be observed...", false, {}};
  }
  const std::int64_t wanted = get_int(object, "status.desiredNumberScheduled");
  const std::int64_t updated = get_int(object, "status.updatedNumberScheduled");
  const std::int64_t available = get_int(object, "status.numberAvailable");
  const std::string head = "Waiting for daemon set " + quoted(name) + " rollout to finish: ";
  if (updated < wanted) {
    return {head + count(updated) + " out of " + count(wanted) + " new pods have been updated...",
            false,
            {}};
  }
  if (available < wanted) {
    return {head + count(available) + " of " + count(wanted) + " updated pods are available...",
            false,
            {}};
  }
  return {"daemon set " + quoted(name) + " successfully rolled out", true, {}};
}

RolloutProgress stateful_set_progress(const json::value& object) {
  if (get_string(object, "spec.updateStrategy.type", "RollingUpdate") != "RollingUpdate") {
    return {"", true, "rollout status is only available for RollingUpdate strategy type"};
  }
  if (get_int(object, "status.observedGeneration") == 0 ||
      api::generation_of(object) > get_int(object, "status.observedGeneration")) {
    return {"Waiting for statefulset spec update to be observed...", false, {}};
  }
  const std::int64_t wanted = get_int(object, "spec.replicas", 1);
  const std::int64_t ready = get_int(object, "status.readyReplicas");
  const std::int64_t updated = get_int(object, "status.updatedReplicas");
  if (ready < wanted) {
    return {"Waiting for " + count(wanted - ready) + " pods to be ready...", false, {}};
  }
  if (find(object, "spec.updateStrategy.rollingUpdate")) {
    const std::int64_t partition = get_int(object, "spec.updateStrategy.rollingUpdate.partition");
    if (updated < wanted - partition) {
      return {"Waiting for partitioned roll out to finish: " + count(updated) + " out of " +
                  count(wanted - partition) + " new pods have been updated...",
              false,
              {}};
    }
    return {"partitioned roll out complete: " + count(updated) + " new pods have been updated...",
            true,
            {}};
  }
  if (get_string(object, "status.updateRevision") != get_string(object, "status.currentRevision")) {
    return {"waiting for statefulset rolling update to complete " + count(updated) +
                " pods at revision " + std::string(get_string(object, "status.updateRevision")) +
                "...",
            false,
            {}};
  }
  return {"statefulset rolling update complete " +
              count(get_int(object, "status.currentReplicas")) + " pods at revision " +
              std::string(get_string(object, "status.currentRevision")) + "...",
          true,
          {}};
}

Status watch_rollout(Invocation& call, const Target& target) {
  std::optional<TimePoint> deadline;
  if (const Duration timeout = call.flags.get_duration("timeout"); timeout > Duration::zero()) {
    deadline = call.session.now() + timeout;
  }
  const bool watch = call.flags.get("watch") != "false";
  const std::int64_t revision = call.flags.get_int("revision");
  Status failure;
  Status status = await_object(
      call.session, target.resource, target.ns, target.name, deadline,
      [&](const json::value* object) {
        if (!object) {
          failure = fail("object has been deleted");
          return true;
        }
        const RolloutProgress progress = rollout_progress(*object);
        if (revision > 0 && progress.error.empty() &&
            api::annotation_of(*object, "deployment.kubernetes.io/revision") !=
                std::to_string(revision)) {
          failure = fail(
              "desired revision (" + std::to_string(revision) +
              ") is different from the running revision (" +
              std::string(api::annotation_of(*object, "deployment.kubernetes.io/revision")) + ")");
          return true;
        }
        if (!progress.error.empty()) {
          failure = fail(progress.error);
          return true;
        }
        call.session.io.out << progress.text << "\n" << std::flush;
        return progress.done || !watch;
      });
  if (status.code() == Code::kDeadlineExceeded) return fail("timed out waiting for the condition");
  RETURN_IF_ERROR(status);
  return failure;
}

}  // namespace

RolloutProgress rollout_progress(const json::value& object) {
  const std::string_view kind = api::kind_of(object);
  if (kind == "Deployment") return deployment_progress(object);
  if (kind == "DaemonSet") return daemon_set_progress(object);
  if (kind == "StatefulSet") return stateful_set_progress(object);
  return {"", true, "no status viewer has been implemented for " + std::string(kind)};
}

Command rollout_status_command() {
  Command command{.name = "rollout status",
                  .usage = "(TYPE NAME | TYPE/NAME) [flags]",
                  .summary = "Follow a rollout until it is done",
                  .examples = "  kubectl rollout status deployment/web --timeout=60s\n"};
  command.flags = file_flags() + selector_flags();
  command.flags.push_back({"timeout", 0, text::FlagType::kDuration, "0s", "0: no limit"});
  command.flags.push_back({"watch", 'w', text::FlagType::kBool, "true", "Follow until done"});
  command.flags.push_back({"revision", 0, text::FlagType::kInt, "0", "Only this revision"});
  command.run = [](Invocation& call) -> Status {
    if (call.args.empty() && !has_files(call.flags)) {
      return usage_failure(call.command, "required resource not specified");
    }
    ASSIGN_OR_RETURN(const auto objects,
                     fetch_objects(call.session, target_options(call.flags, call.args)));
    for (const Target& target : objects) RETURN_IF_ERROR(watch_rollout(call, target));
    return {};
  };
  return command;
}

}  // namespace coracle::kubectl
