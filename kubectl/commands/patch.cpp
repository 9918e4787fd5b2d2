#include <ostream>

#include "base/strings.hpp"
#include "base/yaml.hpp"
#include "commands/commands.hpp"
#include "kubectl/target.hpp"
#include "kubectl/write.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;

Result<client::PatchType> patch_type(const std::string& name) {
  if (name == "json") return client::PatchType::kJson;
  if (name == "merge") return client::PatchType::kMerge;
  if (name == "strategic") return client::PatchType::kStrategic;
  return fail("--type must be one of [json merge strategic], not " + quoted(name));
}

Result<json::value> patch_body(Invocation& call) {
  std::string text = call.flags.get("patch");
  const std::string file = call.flags.get("patch-file");
  if (text.empty() == file.empty()) {
    return fail(text.empty() ? "must specify --patch or --patch-file containing the contents of "
                               "the patch"
                             : "cannot specify --patch and --patch-file together");
  }
  if (!file.empty()) {
    ASSIGN_OR_RETURN(text, read_file(file));
  }
  auto body = parse_yaml_one(text);
  if (!body.ok()) {
    return fail("unable to parse " + quoted(text) + ": " + body.status().message());
  }
  return body;
}

Status run_patch(Invocation& call) {
  ASSIGN_OR_RETURN(const client::PatchType type, patch_type(call.flags.get("type")));
  ASSIGN_OR_RETURN(const json::value body, patch_body(call));
  ASSIGN_OR_RETURN(WriteReport report, WriteReport::make(call));
  const TargetOptions options = target_options(call.flags, call.args);
  ASSIGN_OR_RETURN(const auto targets, find_targets(call.session, options));
  return visit_objects(call.session, targets, options, [&](Target& target) -> Status {
    if (report.dry_run == DryRun::kClient) return report.print(target.object, "patched");
    auto answer = call.session.patch(target.resource, target.ns, target.name, type, body,
                                     report.query(), call.flags.get("subresource"));
    if (!answer.ok()) return server_failure(answer.error());
    const bool same = get_string(answer.value(), "metadata.resourceVersion") ==
                      get_string(target.object, "metadata.resourceVersion");
    return report.print(answer.value(), same && report.dry_run == DryRun::kNone
                                            ? "patched (no change)"
                                            : "patched");
  });
}

Status replace_one(Invocation& call, WriteReport& report, Target& target) {
  if (report.dry_run == DryRun::kClient) return report.print(target.object, "replaced");
  json::value object = target.object;
  if (call.flags.is_set("force")) {
    auto gone = call.session.call_json("DELETE", target.resource.path(target.ns, target.name));
    if (!gone.ok() && !gone.error().is_not_found()) return server_failure(gone.error());
    if (gone.ok()) {
      json::object shown = object.as_object();
      call.session.io.out << to_lower(target.resource.kind)
                          << (target.resource.group.empty() ? "" : "." + target.resource.group)
                          << " " << quoted(target.name) << " deleted\n";
    }
    while (call.session.get(target.resource, target.ns, target.name).ok()) {
      call.session.pause(std::chrono::milliseconds(200));
    }
    auto made = call.session.create(target.resource, target.ns, object, report.query());
    if (!made.ok()) return server_failure(made.error());
    return report.print(made.value(), "replaced");
  }
  client::QueryList query = report.query();
  query.emplace_back("fieldValidation", "Strict");
  auto answer = call.session.call_json(
      "PUT", target.resource.path(target.ns, target.name) + client::encode_query(query), &object);
  if (!answer.ok()) return server_failure(answer.error(), "replacing", target.source);
  return report.print(answer.value(), "replaced");
}

Status run_replace(Invocation& call) {
  if (call.flags.list("filename").empty()) return fail("must specify one of -f and -k");
  ASSIGN_OR_RETURN(WriteReport report, WriteReport::make(call));
  ASSIGN_OR_RETURN(auto targets, file_targets(call.session, target_options(call.flags, {}).files));
  std::vector<Status> failures;
  for (Target& target : targets) {
    Status status = replace_one(call, report, target);
    if (!status.ok()) failures.push_back(std::move(status));
  }
  return join_failures(failures);
}

}  // namespace

Command patch_command() {
  Command command{.name = "patch",
                  .usage = "(-f FILE | TYPE NAME) -p PATCH",
                  .summary = "Change fields of a resource",
                  .examples =
                      "  kubectl patch deployment web -p '{\"spec\":{\"replicas\":2}}'\n"
                      "  kubectl patch pod web --type=json "
                      "-p '[{\"op\":\"remove\",\"path\":\"/metadata/labels/a\"}]'\n"};
  command.flags = file_flags() + write_flags("kubectl-patch");
  command.flags.push_back({"patch", 'p', FlagType::kString, "", "The patch, JSON or YAML"});
  command.flags.push_back({"patch-file", 0, FlagType::kString, "", "File with the patch"});
  command.flags.push_back({"type", 0, FlagType::kString, "strategic", "json, merge or strategic"});
  command.flags.push_back({"subresource", 0, FlagType::kString, "", "status or scale"});
  command.run = run_patch;
  return command;
}

Command replace_command() {
  Command command{.name = "replace",
                  .usage = "-f FILENAME",
                  .summary = "Replace resources by what the files say",
                  .examples =
                      "  kubectl replace -f web.yaml\n"
                      "  kubectl replace --force -f web.yaml\n"};
  command.flags = file_flags() + write_flags("kubectl-replace");
  command.flags.push_back({"force", 0, FlagType::kBool, "false", "Delete it and create it anew"});
  command.flags.push_back({"validate", 0, FlagType::kString, "strict", "As apply", "strict"});
  command.flags.push_back({"save-config", 0, FlagType::kBool, "false", "Accepted, not used"});
  command.run = run_replace;
  return command;
}

}  // namespace coracle::kubectl
