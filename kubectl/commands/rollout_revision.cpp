// rollout history, undo
#include <algorithm>
#include <ostream>

#include "api/object.hpp"
#include "api/selectors.hpp"
#include "base/strings.hpp"
#include "commands/commands.hpp"
#include "commands/rollout.hpp"
#include "describe/pod_template.hpp"
#include "kubectl/write.hpp"
#include "text/tabwriter.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;

constexpr const char* kRevision = "deployment.kubernetes.io/revision";
constexpr const char* kChangeCause = "kubernetes.io/change-cause";
constexpr const char* kHash = "pod-template-hash";

Result<std::vector<json::value>> owned(Session& session, const Target& target,
                                       const char* resource_name) {
  ASSIGN_OR_RETURN(const Resource* resource, session.resource(resource_name));
  auto selector = api::LabelSelector::from_object(find(target.object, "spec.selector"));
  if (!selector.ok()) return fail(selector.status().message());
  TRY_SERVER(const json::value list,
             session.list(*resource, target.ns, {{"labelSelector", selector->text()}}));
  std::vector<json::value> out;
  for (const json::value& item : get_array(list, "items")) {
    if (api::is_owned_by(item, api::uid_of(target.object))) out.push_back(item);
  }
  return out;
}

// The template with the cause and the change-cause annotation as `history` shows them.
Revision replica_set_revision(const json::value& set) {
  Revision out;
  long long number = 0;
  parse_int(api::annotation_of(set, kRevision), &number);
  out.number = number;
  out.change_cause = api::annotation_of(set, kChangeCause);
  out.template_object = json::value(get_object(set, "spec.template"));
  return out;
}

Revision controller_revision(const json::value& revision) {
  Revision out;
  out.number = get_int(revision, "revision");
  out.change_cause = api::annotation_of(revision, kChangeCause);
  json::object pod_template = get_object(revision, "data.spec.template");
  erase_key(pod_template, "$patch");  // it is stored as a patch
  out.template_object = std::move(pod_template);
  return out;
}

Status show_history(Invocation& call, Target& target) {
  ASSIGN_OR_RETURN(const auto revisions, revisions_of(call.session, target));
  std::ostream& out = call.session.io.out;
  const std::string name = target.resource.object_name(target.name);
  const std::int64_t wanted = call.flags.get_int("revision");
  if (wanted > 0) {
    for (const Revision& revision : revisions) {
      if (revision.number != wanted) continue;
      json::value shown = revision.template_object;
      if (!revision.change_cause.empty()) {
        api::set_annotation(shown, kChangeCause, revision.change_cause);
      }
      out << name << " with revision #" << wanted << "\n"
          << "Pod Template:\n"
          << describe_history_template(shown) << "\n";
      return {};
    }
    return fail("unable to find the specified revision");
  }
  std::string table = "REVISION\tCHANGE-CAUSE\n";
  for (const Revision& revision : revisions) {
    table += std::to_string(revision.number) + "\t" +
             (revision.change_cause.empty() ? "<none>" : revision.change_cause) + "\n";
  }
  out << name << " \n" << text::align_tabs(table) << "\n";
  return {};
}

Status history(Invocation& call) {
  if (call.args.empty() && !has_files(call.flags)) {
    return usage_failure(call.command, "required resource not specified");
  }
  if (call.flags.get_int("revision") < 0) {
    return fail("revision must be a positive integer: " + call.flags.get("revision"));
  }
  TargetOptions options = target_options(call.flags, call.args);
  options.need_names = false;
  ASSIGN_OR_RETURN(const auto targets, find_each_target(call.session, options));
  return visit_objects(call.session, targets, options,
                       [&](Target& target) { return show_history(call, target); });
}

Result<Revision> choose_revision(const std::vector<Revision>& revisions, std::int64_t wanted) {
  if (wanted > 0) {
    for (const Revision& revision : revisions) {
      if (revision.number == wanted) return revision;
    }
    return fail("unable to find specified revision " + std::to_string(wanted) + " in history");
  }
  if (revisions.size() < 2) return fail("no rollout history found for the resource");
  return revisions[revisions.size() - 2];
}

// What makes the template the revision's: a JSON patch for deployments, strategic for the others.
json::value undo_patch(const Revision& revision) {
  json::value wanted = revision.template_object;
  if (wanted.is_object() && find(wanted, "metadata.labels")) {
    json::object& labels = make_object(wanted, "metadata.labels");
    erase_key(labels, kHash);
  }
  json::object replace;
  replace["op"] = "replace";
  replace["path"] = "/spec/template";
  replace["value"] = std::move(wanted);
  json::array patch;
  patch.push_back(std::move(replace));
  return json::value(std::move(patch));
}

Status undo_one(Invocation& call, WriteReport& report, Target& target) {
  ASSIGN_OR_RETURN(const auto revisions, revisions_of(call.session, target));
  if (get_bool(target.object, "spec.paused")) {
    return fail(
        "cannot rollback a paused deployment; resume it first with 'kubectl rollout "
        "resume' and try again");
  }
  ASSIGN_OR_RETURN(const Revision revision,
                   choose_revision(revisions, call.flags.get_int("to-revision")));
  const json::value patch = undo_patch(revision);
  if (report.dry_run == DryRun::kClient) return report.print(target.object, "rolled back");
  const json::value& wanted = patch.as_array()[0].as_object().at("value");
  if (wanted == *find(target.object, "spec.template")) {
    return report.print(target.object,
                        "skipped rollback (current template already matches "
                        "revision " +
                            std::to_string(revision.number) + ")");
  }
  auto answer = call.session.patch(target.resource, target.ns, target.name,
                                   client::PatchType::kJson, patch, report.query());
  if (!answer.ok()) return server_failure(answer.error());
  return report.print(answer.value(), "rolled back");
}

Status undo(Invocation& call) {
  if (call.args.empty() && !has_files(call.flags)) {
    return usage_failure(call.command, "required resource not specified");
  }
  ASSIGN_OR_RETURN(WriteReport report, WriteReport::make(call));
  TargetOptions options = target_options(call.flags, call.args);
  options.need_names = false;
  ASSIGN_OR_RETURN(const auto targets, find_each_target(call.session, options));
  return visit_objects(call.session, targets, options,
                       [&](Target& target) { return undo_one(call, report, target); });
}

}  // namespace

Result<std::vector<Revision>> revisions_of(Session& session, const Target& target) {
  std::vector<Revision> out;
  const std::string& kind = target.resource.kind;
  if (kind == "Deployment") {
    ASSIGN_OR_RETURN(const auto sets, owned(session, target, "replicasets.apps"));
    for (const json::value& set : sets) out.push_back(replica_set_revision(set));
  } else if (kind == "DaemonSet" || kind == "StatefulSet") {
    ASSIGN_OR_RETURN(const auto revisions, owned(session, target, "controllerrevisions.apps"));
    for (const json::value& one : revisions) out.push_back(controller_revision(one));
  } else {
    return fail("no history viewer has been implemented for " + quoted(kind));
  }
  std::sort(out.begin(), out.end(),
            [](const Revision& a, const Revision& b) { return a.number < b.number; });
  return out;
}

std::vector<Command> rollout_revision_commands() {
  Command history_command{.name = "rollout history",
                          .usage = "(TYPE NAME | TYPE/NAME) [flags]",
                          .summary = "List the revisions of a rollout, or show one",
                          .examples = "  kubectl rollout history deployment/web --revision=2\n"};
  history_command.flags = file_flags() + selector_flags() + output_flags();
  history_command.flags.push_back({"revision", 0, FlagType::kInt, "0", "Show this one whole"});
  history_command.run = history;
  Command undo_command{.name = "rollout undo",
                       .usage = "(TYPE NAME | TYPE/NAME) [flags]",
                       .summary = "Go back to the revision before, or to a given one",
                       .examples = "  kubectl rollout undo deployment/web --to-revision=3\n"};
  undo_command.flags = file_flags() + selector_flags() + write_flags("");
  undo_command.flags.push_back(
      {"to-revision", 0, FlagType::kInt, "0", "The revision; 0: the one before"});
  undo_command.run = undo;
  return {history_command, undo_command};
}

}  // namespace coracle::kubectl
