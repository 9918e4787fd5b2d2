// scale, autoscale
#include "base/strings.hpp"
#include "commands/commands.hpp"
#include "commands/create.hpp"
#include "kubectl/await.hpp"
#include "kubectl/target.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;

Status scale_one(Invocation& call, WriteReport& report, Target& target) {
  const std::int64_t replicas = call.flags.get_int("replicas");
  const std::int64_t current = call.flags.get_int("current-replicas");
  const std::string version = call.flags.get("resource-version");
  if (current >= 0 || !version.empty()) {
    TRY_SERVER(
        const json::value scale,
        call.session.call_json("GET", target.resource.path(target.ns, target.name, "scale")));
    const std::int64_t have = get_int(scale, "spec.replicas");
    if (current >= 0 && have != current) {
      return fail("Expected replicas to be " + std::to_string(current) + ", was " +
                  std::to_string(have));
    }
    const std::string has_version(get_string(scale, "metadata.resourceVersion"));
    if (!version.empty() && has_version != version) {
      return fail("Expected resource version to be " + version + ", was " + has_version);
    }
  }
  if (report.dry_run == DryRun::kClient) return report.print(target.object, "scaled");
  json::value patch = json::object();
  set_path(patch, "spec.replicas", json::value(replicas));
  auto answer = call.session.patch(target.resource, target.ns, target.name,
                                   client::PatchType::kMerge, patch, report.query(), "scale");
  if (!answer.ok()) return server_failure(answer.error());
  ASSIGN_OR_RETURN(const json::value recorded,
                   report.record_on_server(call.session, target, target.object));
  RETURN_IF_ERROR(report.print(recorded, "scaled"));
  const Duration timeout = call.flags.get_duration("timeout");
  if (timeout == Duration::zero()) return {};
  return await_object(call.session, target.resource, target.ns, target.name,
                      call.session.now() + timeout, [replicas](const json::value* object) {
                        return object && get_int(*object, "status.replicas") == replicas;
                      });
}

Status run_scale(Invocation& call) {
  if (!call.flags.has("replicas")) {
    return fail("required flag(s) \"replicas\" not set");
  }
  if (call.flags.get_int("replicas") < 0) {
    return fail(
        "The --replicas=COUNT flag is required, and COUNT must be greater than or equal "
        "to 0");
  }
  ASSIGN_OR_RETURN(WriteReport report, WriteReport::make(call));
  const TargetOptions options = target_options(call.flags, call.args);
  ASSIGN_OR_RETURN(const auto targets, find_each_target(call.session, options));
  int seen = 0;
  Status status = visit_objects(call.session, targets, options, [&](Target& target) {
    ++seen;
    return scale_one(call, report, target);
  });
  if (seen == 0) {
    const std::string& why = status.message();
    const size_t begin = why.starts_with("Error from server") ? why.find("): ") : why.npos;
    return fail("no objects passed to scale" +
                (status.ok() ? "" : " " + (begin == why.npos ? why : why.substr(begin + 3))));
  }
  return status;
}

Status autoscale_one(Invocation& call, WriteReport& report, Target& target) {
  const std::string name = call.flags.get("name").empty() ? target.name : call.flags.get("name");
  json::value object = new_object("autoscaling/v1", "HorizontalPodAutoscaler", name);
  json::object reference;
  reference["apiVersion"] = target.resource.api_version();
  reference["kind"] = target.resource.kind;
  reference["name"] = target.name;
  set_path(object, "spec.scaleTargetRef", json::value(std::move(reference)));
  set_path(object, "spec.maxReplicas", json::value(call.flags.get_int("max")));
  if (call.flags.get_int("min") > 0) {
    set_path(object, "spec.minReplicas", json::value(call.flags.get_int("min")));
  }
  if (call.flags.get_int("cpu-percent") >= 0) {
    set_path(object, "spec.targetCPUUtilizationPercentage",
             json::value(call.flags.get_int("cpu-percent")));
  }
  set_path(object, "status.currentReplicas", json::value(0));
  set_path(object, "status.desiredReplicas", json::value(0));
  return create_object(call, report, std::move(object), "", "autoscaled");
}

Status run_autoscale(Invocation& call) {
  if (call.flags.get_int("max") < 1) {
    return fail(call.flags.has("max") ? "--max=MAXPODS is required and must be at least 1, max: " +
                                            call.flags.get("max")
                                      : "required flag(s) \"max\" not set");
  }
  if (call.flags.get_int("max") < call.flags.get_int("min")) {
    return fail("--max=MAXPODS must be larger or equal to --min=MINPODS, max: " +
                call.flags.get("max") + ", min: " + call.flags.get("min"));
  }
  ASSIGN_OR_RETURN(WriteReport report, WriteReport::make(call));
  TargetOptions options = target_options(call.flags, call.args);
  ASSIGN_OR_RETURN(const auto targets, find_each_target(call.session, options));
  options.as_given = true;
  return visit_objects(call.session, targets, options,
                       [&](Target& target) { return autoscale_one(call, report, target); });
}

}  // namespace

Command scale_command() {
  Command command{.name = "scale",
                  .usage = "--replicas=COUNT (-f FILE | TYPE NAME)",
                  .summary = "Set how many pods a controller keeps",
                  .examples =
                      "  kubectl scale deployment web --replicas=3\n"
                      "  kubectl scale deployment web --current-replicas=2 --replicas=3\n"};
  command.flags = file_flags() + selector_flags() + write_flags("");
  command.flags.push_back({"replicas", 0, FlagType::kInt, "0", "How many"});
  command.flags.push_back({"current-replicas", 0, FlagType::kInt, "-1", "Only if so many now"});
  command.flags.push_back({"resource-version", 0, FlagType::kString, "", "Only at this version"});
  command.flags.push_back(record_flag());
  command.flags.push_back({"timeout", 0, FlagType::kDuration, "0s", "Wait so long; 0: do not"});
  command.run = run_scale;
  return command;
}

Command autoscale_command() {
  Command command{.name = "autoscale",
                  .usage = "(-f FILE | TYPE NAME) --max=MAXPODS",
                  .summary = "Create a horizontal pod autoscaler",
                  .examples =
                      "  kubectl autoscale deployment web --min=2 --max=10 "
                      "--cpu-percent=70\n"};
  command.flags = file_flags() + create_flags("kubectl-autoscale");
  command.flags.push_back(record_flag());
  command.flags.push_back({"min", 0, FlagType::kInt, "-1", "At least so many pods"});
  command.flags.push_back({"max", 0, FlagType::kInt, "-1", "At most so many pods"});
  command.flags.push_back({"cpu-percent", 0, FlagType::kInt, "-1", "Wanted use of requested CPU"});
  command.flags.push_back({"name", 0, FlagType::kString, "", "The autoscaler's name"});
  command.run = run_autoscale;
  return command;
}

}  // namespace coracle::kubectl
