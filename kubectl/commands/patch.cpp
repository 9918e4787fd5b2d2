#include <ostream>

#include "api/catalog.hpp"
#include "api/object.hpp"
#include "api/patch.hpp"
#include "base/strings.hpp"
#include "base/yaml.hpp"
#include "commands/commands.hpp"
#include "commands/create.hpp"
#include "commands/last_applied.hpp"
#include "kubectl/target.hpp"
#include "kubectl/write.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;

constexpr Duration kGoneLimit = std::chrono::minutes(5);

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

// What the patch makes of an object, without a server.
Result<json::value> patched_locally(const Target& target, client::PatchType type,
                                    const json::value& patch) {
  if (type == client::PatchType::kJson) return api::apply_json_patch(target.object, patch);
  if (type == client::PatchType::kMerge) return api::apply_merge_patch(target.object, patch);
  const api::ResourceInfo* info = api::Catalog::builtin().find_for(target.object);
  if (info == nullptr) {
    return fail("strategic merge patch is not supported for " + target.resource.api_version() +
                ", Kind=" + target.resource.kind + " locally, try --type merge");
  }
  return api::apply_strategic_patch(target.object, patch, info->schema);
}

Status run_patch(Invocation& call) {
  ASSIGN_OR_RETURN(const client::PatchType type, patch_type(call.flags.get("type")));
  ASSIGN_OR_RETURN(const json::value body, patch_body(call));
  ASSIGN_OR_RETURN(WriteReport report, WriteReport::make(call));
  const TargetOptions options = target_options(call.flags, call.args);
  ASSIGN_OR_RETURN(const auto targets, find_each_target(call.session, options));
  return visit_objects(call.session, targets, options, [&](Target& target) -> Status {
    if (report.dry_run == DryRun::kClient) {
      auto changed = patched_locally(target, type, body);
      if (!changed.ok()) return fail(changed.status().message());
      return report.print(*changed, *changed == target.object ? "patched (no change)" : "patched");
    }
    auto answer = call.session.patch(target.resource, target.ns, target.name, type, body,
                                     report.query(), call.flags.get("subresource"));
    if (!answer.ok()) return server_failure(answer.error());
    const bool same = get_string(answer.value(), "metadata.resourceVersion") ==
                      get_string(target.object, "metadata.resourceVersion");
    ASSIGN_OR_RETURN(const json::value now,
                     report.record_on_server(call.session, target, answer.value()));
    return report.print(
        now, same && report.dry_run == DryRun::kNone ? "patched (no change)" : "patched");
  });
}

Status replace_one(Invocation& call, WriteReport& report, Target& target) {
  if (report.dry_run == DryRun::kClient) return report.print(target.object, "replaced");
  json::value object = target.object;
  report.record(object);
  if (call.flags.is_set("save-config") || get_last_applied(object)) set_last_applied(object);
  if (call.flags.is_set("force")) {
    const std::int64_t grace = call.flags.get_int("grace-period");
    const json::value options =
        grace < 0 ? json::value() : json::value(json::object{{"gracePeriodSeconds", grace}});
    auto gone = call.session.call_json("DELETE", target.resource.path(target.ns, target.name),
                                       options.is_null() ? nullptr : &options);
    if (!gone.ok() && !gone.error().is_not_found()) return server_failure(gone.error());
    if (gone.ok()) {
      json::object shown = object.as_object();
      call.session.io.out << to_lower(target.resource.kind)
                          << (target.resource.group.empty() ? "" : "." + target.resource.group)
                          << " " << quoted(target.name) << " deleted\n";
    }
    const Duration limit = call.flags.get_duration("timeout");
    const TimePoint end = call.session.now() + (limit == Duration::zero() ? kGoneLimit : limit);
    while (call.session.get(target.resource, target.ns, target.name).ok()) {
      if (call.session.now() > end) return fail("timed out waiting for the condition");
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

Status check_replace_flags(Invocation& call) {
  if (!has_files(call.flags)) return fail("must specify one of -f and -k");
  if (call.flags.is_set("force")) return {};
  for (const char* flag : {"grace-period", "timeout"}) {
    if (call.flags.has(flag))
      return fail("--" + std::string(flag) + " must have --force specified");
  }
  return {};
}

Status run_replace(Invocation& call) {
  if (!call.flags.get("raw").empty()) return send_raw(call, "PUT");
  RETURN_IF_ERROR(check_replace_flags(call));
  ASSIGN_OR_RETURN(WriteReport report, WriteReport::make(call));
  ASSIGN_OR_RETURN(auto targets, each_file_target(call.session, file_options(call.flags)));
  std::vector<Status> failures;
  for (Target& target : targets) {
    Status status = !target.failure.ok() ? target.failure : replace_one(call, report, target);
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
  command.flags.push_back(record_flag());
  command.flags.push_back(local_flag());
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
  command.flags.push_back({"save-config", 0, FlagType::kBool, "false",
                           "Keep the configuration in the object, for apply"});
  command.flags.push_back({"raw", 0, FlagType::kString, "", "PUT the file to this path"});
  command.flags.push_back({"grace-period", 0, FlagType::kInt, "-1", "With --force: as delete"});
  command.flags.push_back(
      {"timeout", 0, FlagType::kDuration, "0s", "With --force: how long to wait for its end"});
  command.flags.push_back({"cascade", 0, FlagType::kString, "background",
                           "With --force: accepted, always background", "background"});
  command.flags.push_back(record_flag());
  command.run = run_replace;
  return command;
}

}  // namespace coracle::kubectl
