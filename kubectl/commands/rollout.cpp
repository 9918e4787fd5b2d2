// rollout pause, resume, restart
#include <ostream>

#include "commands/rollout.hpp"

#include "base/strings.hpp"
#include "commands/commands.hpp"
#include "kubectl/write.hpp"

namespace coracle::kubectl {
namespace {

Status patch_each(Invocation& call, const std::string& done,
                  const std::function<Result<json::value>(const Target&)>& make_patch) {
  if (call.args.empty() && !has_files(call.flags)) {
    return usage_failure(call.command, "required resource not specified");
  }
  ASSIGN_OR_RETURN(WriteReport report, WriteReport::make(call));
  TargetOptions options = target_options(call.flags, call.args);
  options.need_names = false;
  ASSIGN_OR_RETURN(const auto targets, find_each_target(call.session, options));
  return visit_objects(call.session, targets, options, [&](Target& target) -> Status {
    ASSIGN_OR_RETURN(const json::value patch, make_patch(target));
    auto answer = call.session.patch(target.resource, target.ns, target.name,
                                     client::PatchType::kStrategic, patch, report.query());
    if (!answer.ok()) return server_failure(answer.error());
    return report.print(answer.value(), done);
  });
}

Status need_deployment(const Target& target, const char* verb) {
  if (target.resource.kind == "Deployment") return {};
  return fail(target.resource.group_resource() + " " + quoted(target.name) + " " + verb +
              " is not supported");
}

Status pause(Invocation& call) {
  return patch_each(call, "paused", [](const Target& target) -> Result<json::value> {
    RETURN_IF_ERROR(need_deployment(target, "pausing"));
    if (get_bool(target.object, "spec.paused")) {
      return fail(target.resource.group_resource() + " " + quoted(target.name) +
                  " is already paused");
    }
    json::value patch = json::object();
    set_path(patch, "spec.paused", json::value(true));
    return patch;
  });
}

Status resume(Invocation& call) {
  return patch_each(call, "resumed", [](const Target& target) -> Result<json::value> {
    RETURN_IF_ERROR(need_deployment(target, "resuming"));
    if (!get_bool(target.object, "spec.paused")) {
      return fail(target.resource.group_resource() + " " + quoted(target.name) + " is not paused");
    }
    json::value patch = json::object();
    set_path(patch, "spec.paused", json::value());
    return patch;
  });
}

Status restart(Invocation& call) {
  const std::string now = format_time(call.session.wall_now());
  return patch_each(call, "restarted", [now](const Target& target) -> Result<json::value> {
    const std::string& kind = target.resource.kind;
    if (kind != "Deployment" && kind != "DaemonSet" && kind != "StatefulSet") {
      return fail(target.resource.group_resource() + " " + quoted(target.name) +
                  " restarting is not supported");
    }
    if (get_bool(target.object, "spec.paused")) {
      return fail(target.resource.group_resource() + " " + quoted(target.name) +
                  " can't restart paused deployment (run rollout resume first)");
    }
    json::object annotations;
    annotations["kubectl.kubernetes.io/restartedAt"] = now;
    json::value patch = json::object();
    set_path(patch, "spec.template.metadata.annotations", json::value(std::move(annotations)));
    return patch;
  });
}

Command small(const char* name, const char* summary, Status (*run)(Invocation&)) {
  Command out{.name = std::string("rollout ") + name,
              .usage = "(TYPE NAME | TYPE/NAME)",
              .summary = summary,
              .examples = std::string("  kubectl rollout ") + name + " deployment/web\n"};
  out.flags = file_flags() + selector_flags() + write_flags("kubectl-rollout");
  out.run = run;
  return out;
}

}  // namespace

std::vector<Command> rollout_commands() {
  return {{.name = "rollout", .usage = "SUBCOMMAND", .summary = "Follow and steer rollouts"},
          small("pause", "Hold a deployment's rollout", pause),
          small("resume", "Let a paused rollout go on", resume),
          small("restart", "Replace the pods by new ones", restart)};
}

}  // namespace coracle::kubectl
