// set serviceaccount, set selector, set subject
#include <algorithm>

#include "api/selectors.hpp"
#include "base/strings.hpp"
#include "commands/commands.hpp"
#include "commands/pod_specs.hpp"
#include "kubectl/target.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;

// Sends a merge patch with `value` at `path`; the object as changed without a server's help.
Status send(Invocation& call, WriteReport& report, Target& target, const std::string& path,
            const json::value& value, const std::string& done, const std::string& failure) {
  set_path(target.object, path, value);
  report.record(target.object);
  if (report.dry_run == DryRun::kClient) return report.print(target.object, done);
  json::value patch = json::object();
  set_path(patch, path, value);
  report.record(patch);
  if (call.flags.has("resource-version")) {
    set_path(patch, "metadata.resourceVersion", json::value(call.flags.get("resource-version")));
  }
  auto answer = call.session.patch(target.resource, target.ns, target.name,
                                   client::PatchType::kMerge, patch, report.query());
  if (answer.ok()) return report.print(answer.value(), done);
  if (failure.empty() || answer.error().no_answer()) return server_failure(answer.error());
  return fail(failure + answer.error().message);
}

Status set_service_account(Invocation& call) {
  if (call.args.empty()) return fail("serviceaccount is required");
  std::vector<std::string> objects = call.args;
  const std::string account = objects.back();
  objects.pop_back();
  ASSIGN_OR_RETURN(WriteReport report, WriteReport::make(call));
  const TargetOptions options = target_options(call.flags, objects);
  ASSIGN_OR_RETURN(const auto targets, find_each_target(call.session, options));
  return visit_objects(call.session, targets, options, [&](Target& target) -> Status {
    const std::string path = pod_spec_path(target.object);
    if (path.empty()) {
      return fail(target.resource.plural + "/" + target.name +
                  " the object is not a pod or does not have a pod template");
    }
    // The old name of the field follows the new one.
    set_path(target.object, path + ".serviceAccount", json::value(account));
    return send(call, report, target, path + ".serviceAccountName", json::value(account),
                "serviceaccount updated", "failed to patch ServiceAccountName ");
  });
}

Status set_selector(Invocation& call) {
  if (call.args.empty()) return fail("one selector is required");
  std::vector<std::string> objects = call.args;
  std::vector<std::string> given;
  for (const std::string& word : objects) {
    if (word.find('=') != word.npos) given.push_back(word);
  }
  if (given.empty()) return fail("one selector is required");
  if (objects.back() != given.front()) {
    return fail("all resources must be specified before selector changes: " + given.front());
  }
  objects.pop_back();
  json::object labels;
  for (const std::string& pair : split(given.front(), ',')) {
    const size_t equals = pair.find('=');
    if (equals == pair.npos || equals == 0) return fail("invalid selector: " + pair);
    labels[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  ASSIGN_OR_RETURN(WriteReport report, WriteReport::make(call));
  const TargetOptions options = target_options(call.flags, objects);
  ASSIGN_OR_RETURN(const auto targets, find_each_target(call.session, options));
  return visit_objects(call.session, targets, options, [&](Target& target) -> Status {
    if (target.resource.kind != "Service") {
      return fail("setting a selector is only supported for Services");
    }
    // The old labels go: a merge patch would keep them.
    json::value patched = json::value(labels);
    if (report.dry_run != DryRun::kClient) {
      for (const auto& [key, value] : get_object(target.object, "spec.selector")) {
        if (!labels.contains(key)) patched.as_object()[key] = nullptr;
      }
    }
    return send(call, report, target, "spec.selector", patched, "selector updated", "");
  });
}

std::vector<std::string> sorted(std::vector<std::string> list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
  return list;
}

Result<json::array> subjects_to_add(Invocation& call) {
  json::array out;
  for (const auto& [flag, kind] : {std::pair{"user", "User"}, std::pair{"group", "Group"}}) {
    for (const std::string& name : sorted(call.flags.list(flag))) {
      json::object subject;
      subject["apiGroup"] = "rbac.authorization.k8s.io";
      subject["kind"] = kind;
      subject["name"] = name;
      out.push_back(std::move(subject));
    }
  }
  for (const std::string& account : sorted(call.flags.list("serviceaccount"))) {
    const auto parts = split(account, ':');
    if (parts.size() != 2 || parts[1].empty()) {
      return fail("serviceaccount must be <namespace>:<name>");
    }
    json::object subject;
    subject["kind"] = "ServiceAccount";
    subject["name"] = parts[1];
    subject["namespace"] = parts[0].empty() ? call.session.namespace_name() : parts[0];
    out.push_back(std::move(subject));
  }
  if (out.empty()) {
    return fail("you must specify at least one value of user, group or serviceaccount");
  }
  return out;
}

Status set_subject(Invocation& call) {
  ASSIGN_OR_RETURN(const json::array more, subjects_to_add(call));
  ASSIGN_OR_RETURN(WriteReport report, WriteReport::make(call));
  const TargetOptions options = target_options(call.flags, call.args);
  ASSIGN_OR_RETURN(const auto targets, find_each_target(call.session, options));
  return visit_objects(call.session, targets, options, [&](Target& target) -> Status {
    if (target.resource.kind != "RoleBinding" && target.resource.kind != "ClusterRoleBinding") {
      return fail(target.resource.plural + "/" + target.name +
                  " setting subjects is only supported for RoleBinding/ClusterRoleBinding");
    }
    json::array subjects = get_array(target.object, "subjects");
    const std::size_t before = subjects.size();
    for (const json::value& one : more) {
      if (std::find(subjects.begin(), subjects.end(), one) == subjects.end()) {
        subjects.push_back(one);
      }
    }
    if (subjects.size() == before) return {};
    return send(call, report, target, "subjects", json::value(std::move(subjects)),
                "subjects updated", "failed to patch subjects to rolebinding: ");
  });
}

}  // namespace

std::vector<Command> set_more_commands() {
  Command account{.name = "set serviceaccount",
                  .usage = "(-f FILENAME | TYPE NAME) SERVICE_ACCOUNT",
                  .summary = "Change the service account of a pod template",
                  .examples = "  kubectl set serviceaccount deployment web robot\n",
                  .flags = file_flags() + set_flags(),
                  .run = set_service_account,
                  .aliases = {"sa"}};
  account.flags.push_back({"all", 0, FlagType::kBool, "false", "All objects of the given types"});
  Command selector{.name = "set selector",
                   .usage = "(-f FILENAME | TYPE NAME) EXPRESSIONS",
                   .summary = "Change which pods a service is for",
                   .examples = "  kubectl set selector service web app=web\n",
                   .flags = file_flags() + set_flags(),
                   .run = set_selector};
  selector.flags.push_back({"all", 0, FlagType::kBool, "false", "All objects of the given types"});
  selector.flags.push_back(
      {"resource-version", 0, FlagType::kString, "", "Only if it has this version"});
  Command subject{.name = "set subject",
                  .usage = "(-f FILENAME | TYPE NAME) [--user=U] [--group=G]",
                  .summary = "Bind more users, groups or service accounts to a role",
                  .examples = "  kubectl set subject rolebinding read --user=kit\n",
                  .flags = file_flags() + selector_flags() + set_flags(),
                  .run = set_subject};
  subject.flags.push_back({"user", 0, FlagType::kArray, "", "To whom; may be repeated"});
  subject.flags.push_back({"group", 0, FlagType::kArray, "", "To which group"});
  subject.flags.push_back({"serviceaccount", 0, FlagType::kArray, "", "namespace:name"});
  return {account, selector, subject};
}

}  // namespace coracle::kubectl
